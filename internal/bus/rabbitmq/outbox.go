package rabbitmq

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// window is how many messages may be on their way to a queue, by one bus, before requests wait for each
// other: a request that finds fewer goes at once and alone. Two, so that one is being filled while the
// broker stores the other.
const window = 2

// outbox publishes requests to a queue. While as many messages as the window has are not yet
// confirmed, requests gather, and go together in the next one: what a message costs the broker and
// both ends is shared by more requests the more there are.
type outbox struct {
	session         *session
	exchange, queue string
	fleeting        bool                   // what is in it goes when its caller does
	first           atomic.Pointer[string] // the queue for what has not been delivered yet; nil: the same

	mu       sync.Mutex
	underWay int // messages
	waiting  []*letter
}

// letter is a request that is to be published.
type letter struct {
	part
	abandoned atomic.Bool   // nobody waits for it any more
	settled   chan struct{} // closed when err is known
	err       error         // as amqp.Confirm has it
}

func (s *session) outbox(q bus.Queue) *outbox {
	return &outbox{session: s, exchange: s.bus.o.requests(q), queue: s.bus.o.Prefix + string(q), fleeting: q != bus.Writes}
}

// newLetter returns the letter of a request. It keeps nothing of it.
func newLetter(ctx context.Context, c *call, r bus.Request) *letter {
	l := &letter{settled: make(chan struct{}), part: part{
		correlation: c.correlation, id: r.ID, trace: r.Trace, digest: r.Digest, body: bytes.Clone(r.Body), published: time.Now(),
	}}
	l.deadline, _ = ctx.Deadline()
	return l
}

// put publishes the letter, at once or together with others.
func (o *outbox) put(l *letter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, l)
	if o.underWay == window {
		return
	}
	batch := o.take()
	if len(batch) > 0 && o.session.bus.run(func() { o.send(batch) }) {
		o.underWay++
	}
}

// send publishes letters, and what has gathered when the broker has confirmed them.
func (o *outbox) send(batch []*letter) {
	for len(batch) > 0 {
		err := o.publish(batch)
		for _, l := range batch {
			l.err = err
			close(l.settled)
		}
		o.mu.Lock()
		if batch = o.take(); len(batch) == 0 {
			o.underWay--
		}
		o.mu.Unlock()
	}
}

// take takes what waits and goes into one message.
func (o *outbox) take() []*letter {
	var batch []*letter
	size := 0
	for len(o.waiting) > 0 && len(batch) < o.session.bus.o.Gather {
		l := o.waiting[0]
		if len(batch) > 0 && size+l.size() > frameBytes {
			break
		}
		o.waiting[0], o.waiting = nil, o.waiting[1:]
		if l.abandoned.Load() {
			continue
		}
		batch, size = append(batch, l), size+l.size()
	}
	return batch
}

// publish publishes letters as one message, and waits for what becomes of it.
func (o *outbox) publish(batch []*letter) error {
	s := o.session
	m, queue := o.message(batch), o.queue
	if first := o.first.Load(); first != nil {
		m.DeliveryMode, queue = amqp091.Transient, *first
	}
	s.touch()
	confirm, err := s.replies.publisher.Publish(o.exchange, queue, m)
	if err != nil {
		s.abort()
		return amqp.ErrLost
	}
	select {
	case <-confirm.Done():
		return confirm.Err()
	case <-s.ended:
		return amqp.ErrLost
	}
}

// message returns the message of a request, or of several.
func (o *outbox) message(batch []*letter) amqp091.Publishing {
	m := amqp091.Publishing{
		CorrelationId: batch[0].correlation, ReplyTo: o.session.replies.queue, DeliveryMode: amqp091.Persistent,
	}
	if o.fleeting {
		m.DeliveryMode, m.Expiration = amqp091.Transient, expiration(batch)
	}
	m.Headers = amqp091.Table{}
	if digests := digestsOf(batch); digests != "" {
		m.Headers[digestHeader] = digests
	}
	if len(batch) > 1 {
		parts := make([]part, len(batch))
		for i, l := range batch {
			parts[i] = l.part
		}
		m.Type, m.Body = frameType, encodeFrame(parts)
		return m
	}
	l := batch[0]
	m.MessageId, m.Body = l.id, l.body
	m.Headers[publishedHeader] = l.published.UnixMilli()
	if !l.deadline.IsZero() {
		m.Headers[deadlineHeader] = l.deadline.UnixMilli()
	}
	if l.trace != "" {
		m.Headers[traceHeader] = l.trace
	}
	return m
}

// digestsOf returns the digests of the requests in their order, or "" where none has one.
func digestsOf(batch []*letter) string {
	digests := make([]string, len(batch))
	for i, l := range batch {
		digests[i] = l.digest
	}
	joined := strings.Join(digests, ",")
	if len(joined) == len(batch)-1 {
		return ""
	}
	return joined
}

// expiration returns when the message goes: when the last of its callers does. Empty: one of them
// waits without a deadline.
func expiration(batch []*letter) string {
	var last time.Time
	for _, l := range batch {
		if l.deadline.IsZero() {
			return ""
		}
		if l.deadline.After(last) {
			last = l.deadline
		}
	}
	return strconv.FormatInt(max(time.Until(last).Milliseconds(), 1), 10)
}
