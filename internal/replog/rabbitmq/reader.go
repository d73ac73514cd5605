package rabbitmq

import (
	"context"
	"errors"
	"sync"

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

	acked uint64 // Next's: up to which tag
	taken uint64

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
			log: l, conn: conn, channel: ch, from: from, deliveries: deliveries,
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
	// What the last Next returned is acknowledged only now: it had better be handled first. And it
	// is not put off further, as the broker ends consumers that hold records for half an hour.
	if r.taken > r.acked {
		if r.channel.Ack(r.taken, true) == nil {
			r.acked = r.taken
		}
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	raws := r.raws
	r.raws, r.taken = nil, r.last
	return raws, nil
}

// wait returns when there is something to take.
func (r *reader) wait(ctx context.Context) error {
	for {
		if _, ok := r.first(); ok {
			return nil
		}
		select {
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
