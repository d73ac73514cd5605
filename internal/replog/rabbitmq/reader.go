package rabbitmq

import (
	"context"
	"errors"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/replog"
)

// offsetKey is both the argument that says where to attach and the header that says where a record
// is.
const offsetKey = "x-stream-offset"

// errNoStream: records without an offset came.
var errNoStream = errors.New("the queue is not a stream")

// reader is a consumer of the stream, on a connection of its own.
type reader struct {
	log        *Log
	conn       *amqp.Conn
	channel    *amqp091.Channel
	deliveries <-chan amqp091.Delivery
	from       replog.Offset
	ended      chan struct{} // closed when pump has
	arrived    chan struct{} // holds a token when something has

	credit credit // Next's

	mu    sync.Mutex
	raws  []replog.Raw
	last  uint64 // the tag of the last record in raws, or of the last that was in it
	fault error
}

// attach makes a reader at an offset: an int64, "first" or "last".
func (l *Log) attach(ctx context.Context, at any, from replog.Offset) (*reader, error) {
	r, err := connect(ctx, l, func(conn *amqp.Conn, ch *amqp091.Channel) (*reader, error) {
		// A stream takes no consumer without a limit, nor one that does not acknowledge: the
		// broker would end the connection.
		if err := ch.Qos(l.o.Prefetch, 0, false); err != nil {
			return nil, err
		}
		deliveries, err := ch.Consume(l.o.Name, "rideshare", false, false, false, false, amqp091.Table{offsetKey: at})
		return &reader{
			log: l, conn: conn, channel: ch, from: from, deliveries: deliveries, credit: credit{limit: uint64(l.o.Prefetch)},
			ended: make(chan struct{}), arrived: make(chan struct{}, 1),
		}, err
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		r.conn.Abort()
		return nil, replog.ErrClosed
	}
	l.readers[r] = struct{}{}
	l.work.Go(func() { r.pump() })
	return r, nil
}

// pump takes in records as they come: the library hands them over one by one, and Next returns
// all that have arrived.
func (r *reader) pump() {
	defer close(r.ended)
	for m := range r.deliveries {
		offset, ok := m.Headers[offsetKey].(int64)
		if !ok {
			r.mu.Lock()
			r.fault = errNoStream
			r.mu.Unlock()
			r.conn.Abort()
			continue
		}
		if replog.Offset(offset) < r.from {
			// The broker reads whole chunks. What comes before the offset comes before all that
			// Next returns, so this acknowledges nothing of that.
			_ = r.channel.Ack(m.DeliveryTag, true)
			continue
		}
		r.mu.Lock()
		r.raws = append(r.raws, replog.Raw{Offset: replog.Offset(offset), Data: m.Body})
		r.last = m.DeliveryTag
		r.mu.Unlock()
		select {
		case r.arrived <- struct{}{}:
		default:
		}
	}
	r.conn.Abort() // where only the consumer ended: the stream was deleted
	<-r.conn.Done()
	r.log.mu.Lock()
	delete(r.log.readers, r)
	r.log.mu.Unlock()
}

// Next implements replog.Reader. It returns everything that has arrived.
func (r *reader) Next(ctx context.Context) ([]replog.Raw, error) {
	// Acknowledge what the last Next returned only now, when the caller has handled it.
	if r.credit.due(time.Now()) {
		r.acknowledge()
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	raws := r.raws
	r.raws = nil
	r.credit.take(r.last, time.Now())
	return raws, nil
}

// acknowledge lets the broker send as many more.
func (r *reader) acknowledge() {
	if r.channel.Ack(r.credit.taken, true) == nil {
		r.credit.acked = r.credit.taken
	}
}

// credit says when records are acknowledged. An acknowledgement of a stream gives the broker leave to send as many
// more, and means nothing else. Each wakes the consumer's process in the broker, so many records share one: see
// docs/decisions/0034-amqp-for-the-log.md.
type credit struct {
	limit        uint64    // records that the broker sends beyond those that are acknowledged
	taken, acked uint64    // tags of records
	since        time.Time // when the first was taken that is not acknowledged
}

// holdTime is how long records may be without an acknowledgement: the broker ends consumers that hold some for half
// an hour (consumer_timeout).
const holdTime = time.Minute

// take notes that the records up to a tag were taken.
func (c *credit) take(tag uint64, now time.Time) {
	if c.taken == c.acked {
		c.since = now
	}
	c.taken = tag
}

// due reports whether it is time to acknowledge: a fifth of the credit is used up, or something was taken a while ago.
func (c *credit) due(now time.Time) bool {
	return c.taken-c.acked >= max(1, c.limit/5) || c.held() && now.Sub(c.since) >= holdTime
}

// held reports whether something was taken and not acknowledged.
func (c *credit) held() bool { return c.taken > c.acked }

// wait returns when there is something to take.
func (r *reader) wait(ctx context.Context) error {
	if _, ok := r.first(); ok {
		return nil
	}
	var late <-chan time.Time
	if r.credit.held() {
		late = time.After(time.Until(r.credit.since.Add(holdTime)))
	}
	for {
		if _, ok := r.first(); ok {
			return nil
		}
		select {
		case <-late:
			r.acknowledge()
		case <-r.arrived:
		case <-r.ended:
			if _, ok := r.first(); ok {
				return nil
			}
			return r.lost()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// first returns the offset of the first record to be taken.
func (r *reader) first() (replog.Offset, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.raws) == 0 {
		return 0, false
	}
	return r.raws[0].Offset, true
}

func (r *reader) abort() { r.conn.Abort() }

func (r *reader) lost() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.fault(errors.Join(r.fault, r.conn.Err()))
}

// GiveUp implements replog.Reader. The next connections, also for appends, lead to other nodes.
func (r *reader) GiveUp() { r.conn.GiveUp() }

// Close implements replog.Reader.
func (r *reader) Close() error {
	r.conn.Close()
	<-r.ended
	return nil
}
