package rabbitmq

import (
	"context"
	"strings"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/bus"
)

// delivery is what a bus.Delivery needs to be answered and acknowledged.
type delivery struct {
	message     *message
	correlation string
	done, acked bool // replied to or acknowledged; the message's
}

// parts returns the requests that a message carries.
func parts(m amqp091.Delivery) ([]part, error) {
	digests, _ := m.Headers[digestHeader].(string)
	if m.Type == frameType {
		parts, err := decodeFrame(m.Body)
		for i := range parts {
			parts[i].digest, digests, _ = strings.Cut(digests, ",")
		}
		return parts, err
	}
	p := part{correlation: m.CorrelationId, id: m.MessageId, body: m.Body, digest: digests}
	p.trace, _ = m.Headers[traceHeader].(string)
	// The broker does not tell how long a message has waited, so these are by the caller's clock.
	if ms, ok := m.Headers[deadlineHeader].(int64); ok {
		p.deadline = time.UnixMilli(ms)
	}
	if ms, ok := m.Headers[publishedHeader].(int64); ok {
		p.published = time.UnixMilli(ms)
	}
	return []part{p}, nil
}

// expires reports whether the message is of those that go when their callers do.
func expires(m amqp091.Delivery) bool { return m.Expiration != "" }

// lateness is by how much a message that expires can come after its time.
const lateness = time.Second

// byOwnClock lets the deadlines of requests that have come now hold by this machine's clock, which may
// differ from the callers'. The broker, which has a clock of its own, drops a message in time: one that comes
// long after its time is not late, but the clock is ahead. And no request has longer than its
// caller gave it. Where the clock cannot be right, as much is left as there was at first.
func byOwnClock(requests []part, now time.Time) {
	var last time.Time
	for _, p := range requests {
		if p.deadline.After(last) {
			last = p.deadline
		}
	}
	ahead := now.Sub(last) > lateness
	for i := range requests {
		p := &requests[i]
		if p.deadline.IsZero() || p.published.IsZero() {
			continue
		}
		if whole := now.Add(p.deadline.Sub(p.published)); ahead || p.deadline.After(whole) {
			p.deadline = whole
		}
	}
}

// delivery returns the delivery of a request that the message carries.
func (m *message) delivery(p part, redelivered bool) bus.Delivery {
	d := &delivery{message: m, correlation: p.correlation}
	return bus.Delivery{
		Request:     bus.Request{ID: p.id, Body: p.body, Digest: p.digest, Trace: p.trace},
		Redelivered: redelivered,
		Expires:     p.deadline,
		Published:   p.published,
		Reply:       d.reply,
		Ack:         d.ack,
		Return:      m.giveBack,
	}
}

// reply does not end with ctx, as it waits for nothing but the socket; an error would have to mean that
// the connection is lost.
func (d *delivery) reply(_ context.Context, body []byte) error {
	switch {
	case d.message.consumer.session.bus.isClosed():
		return bus.ErrClosed
	case d.message.replyTo == "":
		return nil
	}
	return d.message.reply(d, body)
}

func (d *delivery) ack() error {
	if d.message.consumer.session.bus.isClosed() {
		return bus.ErrClosed
	}
	return d.message.ack(d)
}
