// Package rabbitmq is the bus over RabbitMQ, 3.10 to 4.x.
//
// A Bus owns at most one session at a time: a connection for publishing and one for consuming,
// with the queues declared. One goroutine, the supervisor, makes the session when somebody first
// needs it, tends it, and takes it down as a whole when any part of it fails: then every consumer
// ends, what it held goes back to its queue, and calls that wait publish again through the next
// session. Nothing is dialled before it is needed.
//
// Publishing and consuming have a connection each because the broker stops reading from those that
// publish when it runs out of memory: acknowledgements, which free memory, must still get through.
//
// Nothing goes through the default exchange, which leads to every queue. Requests come to a queue
// by an exchange of its own, and replies leave by another, so that the broker's permissions can say
// who may do what: docs/decisions/0012-named-exchanges.md. Only callers bind, as it takes the
// permission to write to the queue.
package rabbitmq

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// Options are the options of New.
type Options struct {
	// Broker says where the broker is. Workers should use a heartbeat of 1 s: a paused worker's
	// messages go to another one when the broker misses it.
	Broker amqp.Options
	// Prefix begins the name of every queue and exchange; "rideshare." where empty.
	Prefix string
	// Queues are those that this program has to do with, all where empty. No others are declared,
	// so that it needs no permission for them.
	Queues []bus.Queue
	// Reads, Writes and Control are how many messages may wait in the queue before new ones are
	// rejected; 10,000, 100,000 and 100 where 0. All programs that share the queues must agree.
	Reads, Writes, Control int
	// Gather is how many requests one message carries at most, where many are made at once; 64 where 0.
	Gather int
	// Replicated lets all queues survive the loss of a node, for a broker of several nodes: reads and commands are
	// replicated as writes are, and writes do not wait in the memory of one node first. It makes them
	// slower. All programs that share the queues must agree.
	Replicated bool
	// Logger is told when writes cannot wait in memory first. Default: nothing is logged.
	Logger *slog.Logger
	// IdleRedial, where above 0, is after how long without traffic the connections are taken for
	// dead and made anew. For Lambda, whose sandbox may sleep with a connection that the broker
	// has long given up, but which still looks open and takes a publish without an error.
	IdleRedial time.Duration
}

// every queue there is.
var every = []bus.Queue{bus.Writes, bus.Reads, bus.Control}

func (o Options) withDefaults() Options {
	o.Prefix = cmp.Or(o.Prefix, "rideshare.")
	if len(o.Queues) == 0 {
		o.Queues = every
	}
	o.Reads = cmp.Or(o.Reads, 10_000)
	o.Writes = cmp.Or(o.Writes, 100_000)
	o.Control = cmp.Or(o.Control, 100)
	o.Gather = cmp.Or(o.Gather, 64)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Bus implements bus.Bus.
type Bus struct {
	o      Options
	broker *amqp.Broker
	cancel context.CancelFunc
	done   chan struct{}  // closed by Close
	work   sync.WaitGroup // the supervisor and all that depends on a session
	calls  calls
	sent   sent
	ended  time.Time // when the last session did; the supervisor's
	doubt  doubt     // the supervisor's

	wanted  chan struct{} // somebody waits for a session
	waiting atomic.Int32  // how many do
	calling atomic.Bool   // there are calls, for which a session needs a queue for replies

	mu      sync.Mutex
	closed  bool
	current *session      // nil: there is none
	fault   error         // why the last attempt to make one failed
	faults  int           // how many have
	changed chan struct{} // closed and replaced when any of these changes
}

var _ bus.Bus = (*Bus)(nil)

// New returns a bus. It connects when it is first used. An error means that the options are wrong.
func New(o Options) (*Bus, error) {
	broker, err := amqp.NewBroker(o.Broker)
	if err != nil {
		return nil, err
	}
	for _, q := range o.Queues {
		if !slices.Contains(every, q) {
			return nil, fmt.Errorf("bus: no queue %q", q)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &Bus{
		o: o.withDefaults(), broker: broker, cancel: cancel,
		done: make(chan struct{}), wanted: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	b.work.Go(func() { b.supervise(ctx) })
	return b, nil
}

// Close implements bus.Bus. Closing again is no error.
func (b *Bus) Close() error {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if first {
		close(b.done)
		b.cancel()
	}
	b.work.Wait()
	return nil
}

func (b *Bus) isClosed() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// run runs what depends on a session, and which Close waits for. False: the bus was closed.
func (b *Bus) run(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.work.Go(f)
	return true
}
