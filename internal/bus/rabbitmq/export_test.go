package rabbitmq

import (
	"context"

	"rideshare/internal/bus"
)

// Warm makes the session that calls need: the suite takes a call for published after a short time.
func (b *Bus) Warm(ctx context.Context) error {
	_, err := b.session(ctx, true)
	return err
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
