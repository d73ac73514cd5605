package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"rideshare/internal/bus"
)

// Conn is one connection to a Broker.
type Conn struct {
	broker *Broker
	done   chan struct{} // closed by Close
	closed bool          // whether done is closed; guarded by the mutex of the broker
}

var _ bus.Bus = (*Conn)(nil)

// Call implements bus.Bus. While the broker is down it returns bus.ErrUnavailable at once; when
// the broker goes down while it waits, it goes on waiting.
func (c *Conn) Call(ctx context.Context, name bus.Queue, r bus.Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if name == bus.Writes && r.ID == "" {
		return nil, errors.New("bus: a write without an id")
	}
	// A message of Writes may outlive the call, after which the caller may use its buffer again.
	r.Body = bytes.Clone(r.Body)
	m := &message{request: r, published: time.Now(), reply: make(chan []byte, 1)}
	m.deadline, _ = ctx.Deadline()
	q, err := c.publish(name, m)
	if err != nil {
		return nil, err
	}
	select {
	case body := <-m.reply:
		return body, nil
	case <-ctx.Done():
		return c.abandon(q, m, ctx.Err())
	case <-c.done:
		return c.abandon(q, m, bus.ErrClosed)
	}
}

func (c *Conn) publish(name bus.Queue, m *message) (*queue, error) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	q, err := c.queue(name)
	if err != nil {
		return nil, err
	}
	return q, q.publish(m)
}

// abandon ends the wait for a reply, but does not throw away one that has come at this moment.
func (c *Conn) abandon(q *queue, m *message, reason error) ([]byte, error) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	q.abandon(m)
	select {
	case body := <-m.reply:
		return body, nil
	default:
		return nil, reason
	}
}

// Consume implements bus.Bus.
func (c *Conn) Consume(ctx context.Context, name bus.Queue, o bus.ConsumeOptions) (bus.Consumer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Prefetch < 1 {
		return nil, fmt.Errorf("bus: prefetch of %d, want at least 1", o.Prefetch)
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	q, err := c.queue(name)
	if err != nil {
		return nil, err
	}
	s := &consumer{
		conn: c, queue: q, prefetch: o.Prefetch, priority: o.Priority,
		deliveries: make(chan bus.Delivery, o.Prefetch),
	}
	c.broker.consumers[s] = struct{}{}
	q.consumers = append(q.consumers, s)
	q.dispatch()
	return s, nil
}

// Inspect implements bus.Bus.
func (c *Conn) Inspect(ctx context.Context, name bus.Queue) (bus.Stats, error) {
	if err := ctx.Err(); err != nil {
		return bus.Stats{}, err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	q, err := c.queue(name)
	if err != nil {
		return bus.Stats{}, err
	}
	return bus.Stats{Waiting: q.ready.Len(), Consumers: len(q.consumers)}, nil
}

// Close implements bus.Bus. Closing again is no error.
func (c *Conn) Close() error {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	close(c.done)
	c.broker.end(bus.ErrClosed, func(s *consumer) bool { return s.conn == c })
	return nil
}

// Kill does to the broker what the death of the process at this end of the connection does: its
// consumers vanish, and what they held goes back to the front of its queue. Goroutines of the dead
// process that still run achieve nothing any more: what they try returns bus.ErrClosed.
func (c *Conn) Kill() {
	_ = c.Close() // an orderly end and a sudden one look the same from the broker's side
}

// queue returns the queue of that name. The caller holds the mutex of the broker.
func (c *Conn) queue(name bus.Queue) (*queue, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	q, ok := c.broker.queues[name]
	if !ok {
		return nil, fmt.Errorf("bus: no queue %q", name)
	}
	return q, nil
}

// usable says whether the connection is open and the broker up. The caller holds the mutex of the
// broker.
func (c *Conn) usable() error {
	switch {
	case c.closed:
		return bus.ErrClosed
	case c.broker.down:
		return bus.ErrUnavailable
	default:
		return nil
	}
}
