package rabbitmq

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/bus"
)

// consumer is a subscription, on a channel of its own: closing the channel gives back what is not
// acknowledged.
type consumer struct {
	session    *session
	replies    string // the exchange for them
	channel    *amqp091.Channel
	tag        string
	deliveries chan bus.Delivery
	over       chan struct{} // closed when nobody is to receive any more
	ended      chan struct{} // closed when pump has ended
	cancelled  atomic.Bool
	closed     atomic.Bool
	stop       sync.Once // closes over

	kept []*message // pump's: those of which not all was handed over
}

func (c *consumer) subscribe(queue string, o bus.ConsumeOptions) (<-chan amqp091.Delivery, error) {
	var err error
	if c.channel, err = c.session.consuming.Channel(); err != nil {
		return nil, err
	}
	if err := c.channel.Qos(o.Prefetch, 0, false); err != nil {
		return nil, err
	}
	c.tag = "rideshare" // one consumer to a channel
	return c.channel.Consume(queue, c.tag, false, false, false, false, amqp091.Table{"x-priority": int64(o.Priority)})
}

// pump hands over deliveries until the subscription ends, and takes back those that nobody has
// received by then.
func (c *consumer) pump(in <-chan amqp091.Delivery) {
	defer close(c.ended)
	for d := range in {
		c.session.touch()
		c.hand(d)
	}
	close(c.deliveries)
	// A closed channel still gives out what is in it, to those who receive or to this loop.
	var left []bus.Delivery
	for d := range c.deliveries {
		left = append(left, d)
	}
	if c.closed.Load() || !c.cancelled.Load() {
		return // the broker takes back everything with the channel
	}
	for _, d := range left {
		if d.Return() != nil {
			return // as above
		}
	}
	for _, m := range c.kept {
		if m.giveBack() != nil {
			return
		}
	}
}

// hand hands over the deliveries of a message.
func (c *consumer) hand(in amqp091.Delivery) {
	requests, err := parts(in)
	if err != nil {
		_ = c.channel.Reject(in.DeliveryTag, false) // where it fails the channel is gone, and it comes again
		return
	}
	if expires(in) {
		// The broker's clock for it began when the message arrived there: a little late.
		now := time.Now()
		byOwnClock(requests, now)
		requests = slices.DeleteFunc(requests, func(p part) bool { return !p.deadline.IsZero() && !now.Before(p.deadline) })
	}
	if len(requests) == 0 {
		_ = c.channel.Ack(in.DeliveryTag, false) // as above
		return
	}
	m := &message{consumer: c, tag: in.DeliveryTag, replyTo: in.ReplyTo, open: len(requests), unacked: len(requests)}
	for _, p := range requests {
		select {
		case c.deliveries <- m.delivery(p, in.Redelivered):
		case <-c.over:
			c.kept = append(c.kept, m)
			return
		case <-c.session.ended:
			return
		}
	}
}

// Deliveries implements bus.Consumer.
func (c *consumer) Deliveries() <-chan bus.Delivery { return c.deliveries }

// Cancel implements bus.Consumer.
func (c *consumer) Cancel() {
	if !c.cancelled.Swap(true) && !c.closed.Load() {
		// Where it fails the connection or the channel is gone, and with it the subscription.
		_ = c.session.exchange(func() error { return c.channel.Cancel(c.tag, false) })
	}
	c.stop.Do(func() { close(c.over) })
	<-c.ended
}

// Close implements bus.Consumer.
func (c *consumer) Close() {
	if !c.closed.Swap(true) {
		_ = c.session.exchange(c.channel.Close) // as in Cancel
	}
	c.stop.Do(func() { close(c.over) })
	<-c.ended
}
