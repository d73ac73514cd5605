package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// consumePatience is how long Consume waits for a broker that is away: its caller has other things
// to watch.
const consumePatience = 2 * time.Second

// Consume implements bus.Bus. While the broker is away it waits for 2 s at most.
func (b *Bus) Consume(ctx context.Context, q bus.Queue, o bus.ConsumeOptions) (bus.Consumer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Prefetch < 1 {
		return nil, fmt.Errorf("bus: prefetch of %d, want at least 1", o.Prefetch)
	}
	name, err := b.o.queue(q)
	if err != nil {
		return nil, err
	}
	s, err := b.sessionSoon(ctx)
	if err != nil {
		return nil, err
	}
	c := &consumer{
		session: s, queue: name, first: b.firstOf(q), options: o, replies: b.o.replies(q), deliveries: make(chan bus.Delivery, o.Prefetch),
		over: make(chan struct{}), ended: make(chan struct{}),
	}
	var deliveries subscription
	err = s.exchange(func() error {
		if err := c.declareFirst(); err != nil {
			return err
		}
		deliveries, err = c.subscribe()
		return err
	})
	if err != nil {
		return nil, s.lost(err)
	}
	if !b.run(func() { c.pump(deliveries) }) {
		return nil, bus.ErrClosed
	}
	return c, nil
}

// firstOf returns the queue in which the messages of q wait first, or nil where there is none but q's own.
func (b *Bus) firstOf(q bus.Queue) *amqp.Queue {
	if q != bus.Writes || b.o.Replicated {
		return nil
	}
	first := b.o.firstQueue()
	return &first
}

func (b *Bus) sessionSoon(ctx context.Context) (*session, error) {
	if s := b.live(false); s != nil {
		return s, nil
	}
	soon, cancel := context.WithTimeout(ctx, consumePatience)
	defer cancel()
	s, err := b.session(soon, false)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s, err
}

// Inspect implements bus.Bus.
func (b *Bus) Inspect(ctx context.Context, q bus.Queue) (bus.Stats, error) {
	if err := ctx.Err(); err != nil {
		return bus.Stats{}, err
	}
	name, err := b.o.queue(q)
	if err != nil {
		return bus.Stats{}, err
	}
	s, err := b.sessionSoon(ctx)
	if err != nil {
		return bus.Stats{}, err
	}
	type answer struct {
		stats bus.Stats
		err   error
	}
	got := make(chan answer, 1)
	if !b.run(func() {
		found, err := s.inspect(name)
		if first := b.firstOf(q); err == nil && first != nil {
			var waiting int
			waiting, err = s.inspectFirst(first.Name)
			found.Waiting += waiting
		}
		got <- answer{found, err}
	}) {
		return bus.Stats{}, bus.ErrClosed
	}
	select {
	case a := <-got:
		return a.stats, a.err
	case <-ctx.Done():
		return bus.Stats{}, ctx.Err()
	case <-b.done:
		return bus.Stats{}, bus.ErrClosed
	}
}

func (s *session) inspect(name string) (bus.Stats, error) {
	found, err := s.look(name)
	if err != nil {
		return bus.Stats{}, s.lost(err)
	}
	s.touch()
	return bus.Stats{Waiting: found.Messages, Consumers: found.Consumers}, nil
}

// inspectFirst returns how many messages wait in the first queue: none where it does not exist. A session that uses
// it binds it again, with the queue of the writes: what somebody has deleted since is there again without its
// bindings, and the broker drops what it cannot move.
func (s *session) inspectFirst(name string) (int, error) {
	found, err := s.look(name)
	var refusal *amqp091.Error
	if errors.As(err, &refusal) && refusal.Code == amqp091.NotFound {
		return 0, nil
	}
	if err == nil && s.usesFirst() {
		err = s.bindFirst(name)
	}
	if err != nil {
		return 0, s.lost(err)
	}
	return found.Messages, nil
}

// look asks the broker for the figures of a queue.
func (s *session) look(name string) (found amqp091.Queue, err error) {
	err = s.exchange(func() error {
		ch, err := s.consuming.Channel()
		if err != nil {
			return err
		}
		defer ch.Close() //nolint:errcheck // it may have been closed by the broker
		found, err = ch.QueueDeclarePassive(name, true, false, false, false, nil)
		return err
	})
	return found, err
}
