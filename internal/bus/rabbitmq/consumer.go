package rabbitmq

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// consumer is a subscription, on a channel of its own: closing the channel gives back what is not
// acknowledged.
type consumer struct {
	session    *session
	queue      string      // as the broker calls it
	first      *amqp.Queue // another one, in which its messages wait first; nil: there is none
	options    bus.ConsumeOptions
	replies    string // the exchange for them
	deliveries chan bus.Delivery
	over       chan struct{} // closed when nobody is to receive any more
	ended      chan struct{} // closed when pump has ended
	cancelled  atomic.Bool
	closed     atomic.Bool
	stop       sync.Once    // closes over
	held       atomic.Int64 // messages that are neither acknowledged nor given back

	mu      sync.Mutex
	channel *amqp091.Channel

	kept []*message // pump's: those of which not all was handed over
}

// consumerTag names the consumer of a channel, and firstTag that of the queue in which messages wait first.
const (
	consumerTag = "rideshare"
	firstTag    = "rideshare.first"
)

// subscription is what the consumers of a channel receive.
type subscription struct{ queue, first <-chan amqp091.Delivery }

// subscribe subscribes on a new channel.
func (c *consumer) subscribe() (in subscription, err error) {
	ch, err := c.session.consuming.Channel()
	if err != nil {
		return in, err
	}
	if err := ch.Qos(c.options.Prefetch, 0, false); err != nil {
		return in, err
	}
	priority := amqp091.Table{"x-priority": int64(c.options.Priority)}
	in.queue, err = ch.Consume(c.queue, consumerTag, false, false, false, false, priority)
	if err == nil && c.first != nil {
		in.first, err = ch.Consume(c.first.Name, firstTag, false, false, false, false, priority)
	}
	c.channel = ch
	return in, err
}

// declareFirst declares the first queue. Where the broker refuses, as it has the permissions of another version or
// the queue the arguments of one, the consumer does without: what waits there is moved.
func (c *consumer) declareFirst() error {
	if c.first == nil {
		return nil
	}
	ch, err := amqp.Declare(c.session.consuming, *c.first)
	switch {
	case err == nil:
		return ch.Close()
	case amqp.Refused(err):
		c.session.bus.o.Logger.Warn("writes wait for the broker's disk", "why", err)
		c.first = nil
		return nil
	default:
		return err
	}
}

// pump hands over deliveries until the subscription ends, and takes back those that nobody has
// received by then.
func (c *consumer) pump(in subscription) {
	defer close(c.ended)
	c.receive(in)
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

// receive hands over deliveries. While none come from one of several nodes, it renews the
// subscription.
func (c *consumer) receive(in subscription) {
	var look <-chan time.Time
	if broker := c.session.bus.broker; broker.Clustered() {
		ticker := time.NewTicker(broker.AnswerTimeout())
		defer ticker.Stop()
		look = ticker.C
	}
	for idle := false; in.queue != nil || in.first != nil; {
		var d amqp091.Delivery
		var ok bool
		select {
		case d, ok = <-in.queue:
			if !ok {
				in.queue = nil
			}
		case d, ok = <-in.first:
			if !ok {
				in.first = nil
			}
		case <-look:
			if idle && c.held.Load() == 0 {
				in = c.renew(in)
			}
			idle = true
			continue
		}
		switch {
		case ok:
			idle = false
			c.session.touch()
			c.hand(d)
		case !c.cancelled.Load():
			return // one of them is gone: whoever consumes subscribes anew
		}
	}
}

// renew subscribes anew, and then gives the old channel up, with all that the broker takes for
// delivered through it. After a partition between the nodes deliveries may be lost, and the consumer
// may be unknown to the queue's leader, while the connection lives.
func (c *consumer) renew(old subscription) subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancelled.Load() || c.closed.Load() {
		return old
	}
	former := c.channel
	var in subscription
	err := c.session.exchange(func() (err error) {
		if in, err = c.subscribe(); err != nil {
			return err
		}
		return former.Close()
	})
	if err != nil {
		c.session.giveUp()
		return old // which ends with the session
	}
	for _, deliveries := range []<-chan amqp091.Delivery{old.queue, old.first} {
		if deliveries == nil {
			continue
		}
		for range deliveries {
			continue // it comes again, by the new one
		}
	}
	return in
}

// takesFirst is the AppId of replies by those who consume the first queue, too.
const takesFirst = "first"

// takes returns the AppId of the consumer's replies.
func (c *consumer) takes() string {
	if c.first == nil {
		return ""
	}
	return takesFirst
}

// cameBack reports whether a consumer has rejected the message, so that it came to this queue.
func cameBack(in amqp091.Delivery) bool {
	return in.Headers["x-first-death-reason"] == "rejected"
}

// hand hands over the deliveries of a message. One that is delivered by the first queue again goes to the one that
// counts deliveries.
func (c *consumer) hand(in amqp091.Delivery) {
	requests, err := parts(in)
	if err != nil || in.ConsumerTag == firstTag && in.Redelivered {
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
	c.held.Add(1)
	m := &message{consumer: c, channel: c.channel, tag: in.DeliveryTag, replyTo: in.ReplyTo, open: len(requests), unacked: len(requests)}
	for _, p := range requests {
		select {
		case c.deliveries <- m.delivery(p, in.Redelivered || cameBack(in)):
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
		c.end(func(ch *amqp091.Channel) error {
			err := ch.Cancel(consumerTag, false)
			if c.first != nil {
				err = errors.Join(err, ch.Cancel(firstTag, false))
			}
			return err
		})
	}
	c.stop.Do(func() { close(c.over) })
	<-c.ended
}

// Close implements bus.Consumer.
func (c *consumer) Close() {
	if !c.closed.Swap(true) {
		c.end((*amqp091.Channel).Close) // as in Cancel
	}
	c.stop.Do(func() { close(c.over) })
	<-c.ended
}

func (c *consumer) end(how func(*amqp091.Channel) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.session.exchange(func() error { return how(c.channel) })
}
