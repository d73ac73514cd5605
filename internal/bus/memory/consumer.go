package memory

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"slices"

	"rideshare/internal/bus"
)

// consumer is a subscription. Its fields from held on are guarded by the mutex of the broker.
type consumer struct {
	conn       *Conn
	queue      *queue
	prefetch   int
	priority   int
	deliveries chan bus.Delivery
	held       list.List // of *message: delivered and not acknowledged, in the order of delivery
	turn       uint64    // when it got its last message
	reason     error     // why it lost what it held; nil while it has not
}

func (c *consumer) Deliveries() <-chan bus.Delivery { return c.deliveries }

func (c *consumer) Cancel() {
	for _, d := range c.leave() {
		_ = d.Return() // where it fails the message has gone back
	}
}

// leave takes the consumer off its queue, and returns what nobody has received.
func (c *consumer) leave() []bus.Delivery {
	c.conn.broker.mu.Lock()
	defer c.conn.broker.mu.Unlock()
	left := c.unsubscribe()
	c.forget()
	return left
}

func (c *consumer) Close() {
	c.conn.broker.mu.Lock()
	defer c.conn.broker.mu.Unlock()
	c.end(bus.ErrClosed)
	c.queue.dispatch()
}

// hand gives the consumer a message. There is room in the channel: it holds no more than what is
// in held, and that is less than prefetch.
func (c *consumer) hand(m *message) {
	m.holder = c
	m.place = c.held.PushBack(m)
	m.deliveries++
	c.deliveries <- bus.Delivery{
		Request:     m.request,
		Redelivered: m.deliveries > 1,
		Expires:     m.deadline,
		Published:   m.published,
		Reply:       func(_ context.Context, body []byte) error { return c.reply(m, body) },
		Ack:         func() error { return c.ack(m) },
		Return:      func() error { return c.giveBack(m) },
	}
}

func (c *consumer) reply(m *message, body []byte) error {
	body = bytes.Clone(body) // the consumer may use its buffer again
	c.conn.broker.mu.Lock()
	defer c.conn.broker.mu.Unlock()
	if err := c.conn.usable(); err != nil {
		return err
	}
	select {
	case m.reply <- body:
	default: // there was a reply
	}
	return nil
}

func (c *consumer) ack(m *message) error {
	c.conn.broker.mu.Lock()
	defer c.conn.broker.mu.Unlock()
	switch {
	case c.conn.closed:
		return bus.ErrClosed
	case m.holder != c:
		return c.reason
	case m.acked:
		return nil
	}
	c.held.Remove(m.place)
	m.place, m.acked = nil, true
	c.forget()
	c.queue.dispatch()
	return nil
}

// end takes the consumer off its queue and puts everything it holds back, without handing it over.
func (c *consumer) end(reason error) {
	c.unsubscribe()
	if c.reason == nil {
		c.reason = reason
	}
	for c.held.Len() > 0 { // the last one first: that finds each its place at the front without a search
		c.queue.putBack(c.held.Remove(c.held.Back()).(*message))
	}
	c.forget()
}

// unsubscribe takes the consumer off its queue, and returns what is left in its channel.
func (c *consumer) unsubscribe() (left []bus.Delivery) {
	i := slices.Index(c.queue.consumers, c)
	if i < 0 {
		return nil
	}
	c.queue.consumers = slices.Delete(c.queue.consumers, i, i+1)
	// A closed channel still gives out what is in it, to those who receive or to this loop.
	close(c.deliveries)
	for d := range c.deliveries {
		left = append(left, d)
	}
	return left
}

// giveBack puts a message that it holds back.
func (c *consumer) giveBack(m *message) error {
	c.conn.broker.mu.Lock()
	defer c.conn.broker.mu.Unlock()
	switch {
	case c.conn.closed:
		return bus.ErrClosed
	case m.holder != c || m.acked:
		return cmp.Or(c.reason, bus.ErrClosed)
	}
	c.held.Remove(m.place)
	c.queue.putBack(m)
	c.forget()
	c.queue.dispatch()
	return nil
}

// forget lets the broker forget a consumer that neither subscribes nor holds anything.
func (c *consumer) forget() {
	if c.held.Len() == 0 && !slices.Contains(c.queue.consumers, c) {
		delete(c.conn.broker.consumers, c)
	}
}
