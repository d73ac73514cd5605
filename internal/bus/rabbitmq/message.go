package rabbitmq

import (
	"bytes"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/bus"
)

// replyPause is how long a reply waits at most for the others of its message: requests that came
// together are mostly answered together, and a slow one does not hold up the others.
const replyPause = 2 * time.Millisecond

// message is a message in the hands of a consumer: the requests that came with it are answered by
// as few messages as possible, and it is acknowledged when all of them are.
type message struct {
	consumer *consumer
	channel  *amqp091.Channel // that it came by
	tag      uint64
	replyTo  string

	mu      sync.Mutex
	open    int  // requests that are neither replied to nor acknowledged
	unacked int  // requests
	lost    bool // it went back to the queue
	replies []part
	size    int // of the replies
	pause   *time.Timer
}

// finish notes that there will be no other reply to wait for.
func (m *message) finish(d *delivery) {
	if !d.done {
		d.done = true
		m.open--
	}
}

func (m *message) reply(d *delivery, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finish(d)
	p := part{correlation: d.correlation, body: body}
	if m.open > 0 {
		p.body = bytes.Clone(body)
	}
	m.replies, m.size = append(m.replies, p), m.size+p.size()
	switch {
	case m.open == 0 || m.size > frameBytes:
		return m.flush()
	case m.pause == nil:
		m.pause = time.AfterFunc(replyPause, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.pause = nil
			_ = m.flush() // where it fails the session has ended, and everything comes again
		})
	}
	return nil
}

// flush publishes the replies that wait, without a confirm: see sent for what happens to one that is lost.
func (m *message) flush() error {
	if m.pause != nil {
		m.pause.Stop()
		m.pause = nil
	}
	if len(m.replies) == 0 {
		return nil
	}
	c, s := m.consumer, m.consumer.session
	out := amqp091.Publishing{DeliveryMode: amqp091.Transient, AppId: c.takes(), CorrelationId: m.replies[0].correlation, Body: m.replies[0].body}
	if len(m.replies) > 1 {
		out.Type, out.Body = frameType, encodeFrame(m.replies)
	}
	m.replies, m.size = nil, 0
	s.bus.sent.remember(c.replies, m.replyTo, out)
	if err := publishReply(s.out, c.replies, m.replyTo, out); err != nil {
		// Without an acknowledgement the message would stay with a consumer that lives on: it is
		// delivered again only when the consumer's connection ends too.
		s.abort()
		return s.lost(err)
	}
	s.touch()
	return nil
}

// ack acknowledges the message when this was the last of its requests. Their replies have left by then.
func (m *message) ack(d *delivery) error {
	c := m.consumer
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case d.acked:
		return nil
	case m.lost || c.closed.Load():
		return bus.ErrClosed
	}
	m.finish(d)
	if m.open == 0 {
		if err := m.flush(); err != nil {
			return err
		}
	}
	if m.unacked == 1 {
		if err := m.channel.Ack(m.tag, false); err != nil {
			if c.closed.Load() {
				return bus.ErrClosed
			}
			return c.session.lost(err)
		}
		c.held.Add(-1)
	}
	m.unacked--
	d.acked = true
	return nil
}

// giveBack lets the message go back to the queue, with all of its requests. An error means that the
// channel is gone, and has taken it back already.
func (m *message) giveBack() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lost {
		return nil
	}
	if m.unacked == 0 {
		return bus.ErrClosed
	}
	m.lost = true
	m.consumer.held.Add(-1)
	return m.channel.Nack(m.tag, false, true)
}
