package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// stable is how long a session has to live for the next one to be made at once.
const stable = time.Second

// supervise makes a session when somebody needs one, and tends it until it ends.
func (b *Bus) supervise(ctx context.Context) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 50*time.Millisecond, time.Second
	for {
		select {
		case <-b.wanted:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		s, err := connect(ctx, b)
		if err == nil {
			b.tend(ctx, s)
			b.ended = time.Now()
		}
		b.publish(nil, err)
		if err == nil && time.Since(began) > stable {
			pause.Reset()
			continue
		}
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return
		}
		if b.waiting.Load() > 0 {
			b.want()
		} else {
			pause.Reset()
		}
	}
}

// tend lends the session out until a part of it fails, and takes it down.
func (b *Bus) tend(ctx context.Context, s *session) {
	b.publish(s, nil)
	var doubting <-chan time.Time
	if b.broker.Clustered() {
		ticker := time.NewTicker(b.broker.AnswerTimeout())
		defer ticker.Stop()
		doubting = ticker.C
	}
	for {
		select {
		case <-b.wanted:
			if s.replies == nil && b.calling.Load() {
				b.prepare(ctx, s)
			}
			continue
		case <-doubting:
			if b.doubts(s) {
				s.giveUp()
			}
			continue
		case <-s.publishing.Done():
		case <-s.consuming.Done():
		case <-s.aborted:
		case <-ctx.Done():
			s.close()
		}
		close(s.ended)
		s.abort()
		return
	}
}

// prepare makes the session fit for calls, or gives it up.
func (b *Bus) prepare(ctx context.Context, s *session) {
	limited, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := s.prepareCalls(limited); err != nil {
		s.giveUp()
	}
	b.publish(s, nil)
}

func (b *Bus) want() {
	select {
	case b.wanted <- struct{}{}:
	default:
	}
}

// publish tells those who wait what there is.
func (b *Bus) publish(s *session, fault error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = s
	if s != nil {
		b.fault = nil
	}
	if fault != nil {
		b.fault = fault
		b.faults++
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// live returns the session where there is one that can be used at once.
func (b *Bus) live(forCalls bool) *session {
	b.mu.Lock()
	s := b.current
	b.mu.Unlock()
	if s == nil || !s.usable(b.o.IdleRedial) || forCalls && !s.callable.Load() {
		return nil
	}
	return s
}

// session returns a session, and waits for one until ctx ends. It returns bus.ErrUnavailable with
// the reason, bus.ErrClosed, or amqp.ErrMismatch, which no waiting can help.
func (b *Bus) session(ctx context.Context, forCalls bool) (*session, error) {
	if forCalls {
		b.calling.Store(true)
	}
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	for known := -1; ; {
		b.mu.Lock()
		fault, faults, changed := b.fault, b.faults, b.changed
		b.mu.Unlock()
		if s := b.live(forCalls); s != nil {
			return s, nil
		}
		if known < 0 {
			known = faults
		}
		if faults > known && errors.Is(fault, amqp.ErrMismatch) {
			return nil, fault
		}
		b.want()
		select {
		case <-changed:
		case <-ctx.Done():
			if fault == nil {
				fault = ctx.Err()
			}
			return nil, fmt.Errorf("%w: %w", bus.ErrUnavailable, fault)
		case <-b.done:
			return nil, bus.ErrClosed
		}
	}
}
