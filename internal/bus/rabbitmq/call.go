package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

const (
	// patience is how long a call without a deadline waits for a broker to publish to.
	patience = 30 * time.Second
	// reserve is what is left of the deadline when a call that could not publish says so: its
	// caller can still tell its own.
	reserve = 250 * time.Millisecond
	// maxID is what the protocol takes. The library notices a longer one only when half of the
	// message is in its buffer, and has to end the connection.
	maxID = 255

	deadlineHeader  = "deadline"  // when the caller gives up, in ms since 1970
	publishedHeader = "published" // when it published the message, in ms since 1970
	traceHeader     = "traceparent"
	// digestHeader has the digests of the requests of a message, separated by commas. They are no part of a
	// frame, whose form earlier programs have to understand.
	digestHeader = "digest"
)

var (
	errAgain   = errors.New("bus: publish again")
	errBlocked = fmt.Errorf("%w: it is short of memory or disk", bus.ErrUnavailable)
	// errRefused is not bus.ErrFull: a write may be in a queue that failed when it had stored it.
	errRefused = fmt.Errorf("%w: it did not take the request", bus.ErrUnavailable)
)

// Call implements bus.Bus. While it has not published it waits for the broker until little of the
// deadline is left, and returns bus.ErrUnavailable then; so a broker that restarts costs its
// callers a wait. Once it may have published it waits, and publishes again, until the deadline. A
// broker that is short of memory or disk makes it return bus.ErrUnavailable at once.
func (b *Bus) Call(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch _, err := b.o.queue(q); {
	case err != nil:
		return nil, err
	case q == bus.Writes && r.ID == "":
		return nil, errors.New("bus: a write without an id")
	case len(r.ID) > maxID:
		return nil, fmt.Errorf("bus: an id of %d bytes, at most %d are possible", len(r.ID), maxID)
	}
	c := b.calls.begin(b.o.replies(q))
	defer b.calls.end(c)
	for {
		s, err := b.sessionFor(ctx, c)
		if err == nil {
			var body []byte
			if body, err = b.attempt(ctx, s, c, q, r); err == nil {
				return body, nil
			}
		}
		select {
		case body := <-c.reply: // it has come at this moment
			return body, nil
		default:
		}
		if !errors.Is(err, errAgain) {
			return nil, err
		}
	}
}

// sessionFor returns a session to publish the call through.
func (b *Bus) sessionFor(ctx context.Context, c *call) (*session, error) {
	if s := b.live(true); s != nil {
		return s, nil
	}
	limit := patience
	if end, ok := ctx.Deadline(); ok && !c.published {
		left := time.Until(end)
		limit = left - min(reserve, left/4)
	}
	until, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := b.session(until, true)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && c.published && errors.Is(err, bus.ErrUnavailable) {
		return nil, errAgain
	}
	return s, err
}

// attempt publishes the call and waits. errAgain: the session is over, or the queue was away.
func (b *Bus) attempt(ctx context.Context, s *session, c *call, q bus.Queue, r bus.Request) ([]byte, error) {
	blocked := s.publishing.Blocked()
	select {
	case <-blocked:
		return nil, errBlocked
	default:
	}
	b.calls.publish(c)
	l := newLetter(ctx, c, r)
	defer l.abandoned.Store(true)
	s.replies.outboxes[q].put(l)
	settled := l.settled
	for {
		select {
		case body := <-c.reply: // which proves as much as a confirm
			return body, nil
		case <-settled:
			if err := s.outcome(l.err, q); err != nil {
				return nil, err
			}
			settled, blocked = nil, nil
		case <-blocked:
			return nil, errBlocked
		case <-s.ended:
			return nil, errAgain
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.done:
			return nil, bus.ErrClosed
		}
	}
}

// outcome says what a confirm means for a call.
func (s *session) outcome(err error, q bus.Queue) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, amqp.ErrRefused) && q == bus.Writes:
		return errRefused
	case errors.Is(err, amqp.ErrRefused):
		return bus.ErrFull
	default:
		s.abort() // a queue that was deleted is declared by the next session
		return errAgain
	}
}
