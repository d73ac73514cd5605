package rabbitmq

import (
	"context"
	"errors"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// Warm makes the session that calls need: the suite takes a call for published after a short time.
func (b *Bus) Warm(ctx context.Context) error {
	_, err := b.session(ctx, true)
	return err
}

// UseFirst lets writes go to the first queue before anybody has replied.
func (b *Bus) UseFirst(ctx context.Context) error {
	s, err := b.session(ctx, true)
	if err != nil {
		return err
	}
	ch, err := amqp.Declare(s.consuming, b.o.firstQueue())
	if err != nil {
		return err
	}
	if err := ch.Close(); err != nil {
		return err
	}
	if s.replies.useFirst(s); !s.usesFirst() {
		return errors.New("the first queue is not used")
	}
	return nil
}

// UsesFirst reports whether writes go to the first queue.
func (b *Bus) UsesFirst() bool {
	s := b.live(true)
	return s != nil && s.usesFirst()
}

// Gathered returns how many requests wait to be published.
func (b *Bus) Gathered(q bus.Queue) int {
	o := b.live(true).replies.outboxes[q]
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting)
}
