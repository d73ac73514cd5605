// Package rabbitmq is the sync log on a RabbitMQ stream, 3.10 to 4.x.
//
// Appends share one connection, which is made when it is needed; every reader has one of its own.
// A connection that fails is dropped: the append or the reader returns an error, and its user, who
// knows the place to go on from, tries again. Nothing here resumes by itself.
package rabbitmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/singleflight"

	"rideshare/internal/amqp"
	"rideshare/internal/replog"
)

// setupTimeout is for a new connection with all that is set up on it. Of several nodes the next is
// tried long before.
const setupTimeout = 10 * time.Second

// Options are the options of New.
type Options struct {
	// Broker says where the broker is. Its heartbeat should be 1 s: it is how an append to a paused
	// broker ends.
	Broker amqp.Options
	// Name is the name of the stream; "rideshare.sync" where empty.
	Name string
	// SegmentBytes is the size of the files that the stream consists of: retention drops whole
	// ones. 32 MiB where 0. It counts only when the stream is created.
	SegmentBytes int64
	// MaxBytes is how much the stream keeps, at least; where 0 a policy says so, or it keeps all.
	// All programs that share the stream must agree.
	MaxBytes int64
	// Prefetch is how many records a reader may have in hand; 500 where 0.
	Prefetch int
}

func (o Options) withDefaults() Options {
	o.Name = cmp.Or(o.Name, "rideshare.sync")
	o.SegmentBytes = cmp.Or(o.SegmentBytes, 32<<20)
	o.Prefetch = cmp.Or(o.Prefetch, 500)
	return o
}

func (o Options) stream() amqp.Queue {
	arguments := amqp091.Table{
		"x-queue-type":                    "stream",
		"x-stream-max-segment-size-bytes": o.SegmentBytes,
	}
	if o.MaxBytes > 0 {
		arguments["x-max-length-bytes"] = o.MaxBytes
	}
	return amqp.Queue{Name: o.Name, Arguments: arguments}
}

// entries is the name of the exchange through which appends come to the stream. The default one
// leads to every queue, and who may publish to it may do so to all of them.
func (o Options) entries() string { return o.Name + ".entries" }

// Log implements replog.Log.
type Log struct {
	o       Options
	broker  *amqp.Broker
	done    chan struct{} // closed by Close
	making  singleflight.Group
	appends atomic.Uint64
	current atomic.Pointer[appender]

	mu      sync.Mutex
	closed  bool
	readers map[*reader]struct{}
	work    sync.WaitGroup // of the readers, and of what makes an appender
}

var _ replog.Log = (*Log)(nil)

// New returns a log. It connects when it is first used. An error means that the options are wrong.
func New(o Options) (*Log, error) {
	broker, err := amqp.NewBroker(o.Broker)
	if err != nil {
		return nil, err
	}
	return &Log{
		broker: broker, o: o.withDefaults(), done: make(chan struct{}),
		readers: map[*reader]struct{}{},
	}, nil
}

// Close implements replog.Log.
func (l *Log) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.done)
	}
	for r := range l.readers {
		r.conn.Abort()
	}
	l.mu.Unlock()
	l.work.Wait()
	if a := l.current.Swap(nil); a != nil {
		a.conn.Close()
	}
	return nil
}

func (l *Log) isClosed() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// connect makes what setup makes of a new connection, with a channel and the stream declared: a
// broker may have come back without it. It tries the nodes beside each other, see amqp.Connect. The
// set-up ends with ctx, and with the log.
func connect[T interface{ abort() }](ctx context.Context, l *Log, setup func(*amqp.Conn, *amqp091.Channel) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-l.done:
			cancel()
		case <-stop:
		}
	}()
	made, err := amqp.Connect(ctx, l.broker, func(ctx context.Context, dial amqp.Dialer) (made T, err error) {
		conn, err := dial(ctx)
		if err != nil {
			return made, err
		}
		err = conn.Do(ctx, func() error {
			ch, err := amqp.Declare(conn, l.o.stream())
			if err != nil {
				return err
			}
			made, err = setup(conn, ch)
			return err
		})
		if err != nil {
			conn.Abort()
		}
		return made, err
	}, T.abort)
	if err != nil {
		return made, l.fault(err)
	}
	return made, nil
}

// fault is the error of what needed the broker.
func (l *Log) fault(err error) error {
	switch {
	case l.isClosed():
		return replog.ErrClosed
	case errors.Is(err, amqp.ErrMismatch):
		return fmt.Errorf("replog: %w", err)
	default:
		return fmt.Errorf("%w: %w", replog.ErrUnavailable, err)
	}
}
