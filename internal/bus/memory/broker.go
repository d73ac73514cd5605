// Package memory is a bus within one process: a broker with the semantics of RabbitMQ's queues,
// for the one-process mode and for tests that let its users die.
//
// The broker has no goroutines. Whoever changes a queue hands its messages over, under the one
// mutex, to consumers that have room: the channel of a consumer has room for its prefetch, so
// that the hand-over never waits.
package memory

import (
	"cmp"
	"slices"
	"sync"

	"rideshare/internal/bus"
)

// Options are the options of NewBroker. The limits are numbers of messages that wait for a
// consumer; a message that comes when so many wait is rejected with bus.ErrFull.
type Options struct {
	Reads   int // limit of bus.Reads; 10,000 where 0
	Writes  int // limit of bus.Writes; 100,000 where 0
	Control int // limit of bus.Control; 100 where 0
}

// Broker holds the queues.
type Broker struct {
	mu        sync.Mutex // guards everything here, and in queues, connections and consumers
	down      bool
	queues    map[bus.Queue]*queue
	consumers map[*consumer]struct{} // those that subscribe, or hold deliveries
	dead      []bus.Request
}

// NewBroker returns a broker with empty queues.
func NewBroker(o Options) *Broker {
	b := &Broker{consumers: map[*consumer]struct{}{}}
	b.queues = map[bus.Queue]*queue{
		bus.Writes:  {limit: cmp.Or(o.Writes, 100_000), deadLetter: b.deadLetter},
		bus.Reads:   {limit: cmp.Or(o.Reads, 10_000), expires: true},
		bus.Control: {limit: cmp.Or(o.Control, 100), expires: true},
	}
	return b
}

// Connect returns a new connection. It can be made while the broker is down.
func (b *Broker) Connect() *Conn {
	return &Conn{broker: b, done: make(chan struct{})}
}

// SetAvailable stops the broker, or starts it again. While it is down calls, subscriptions, replies
// and acknowledgements return bus.ErrUnavailable. Stopping it ends every subscription; what waits
// and what was delivered without being acknowledged is kept. A Call that waits goes on waiting:
// its message is kept on its behalf, where a real connection would publish it again.
func (b *Broker) SetAvailable(up bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = !up
	if b.down {
		b.end(bus.ErrUnavailable, func(*consumer) bool { return true })
	}
}

// DeadLetters returns the messages of bus.Writes that were delivered bus.DeliveryLimit times
// without being acknowledged.
func (b *Broker) DeadLetters() []bus.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.dead)
}

func (b *Broker) deadLetter(m *message) { b.dead = append(b.dead, m.request) }

// end takes the consumers that are affected out of service, all of them before anything is handed
// over again: what a dead process held must not go to another of its own consumers.
func (b *Broker) end(reason error, affected func(*consumer) bool) {
	for c := range b.consumers {
		if affected(c) {
			c.end(reason)
		}
	}
	for _, q := range b.queues {
		q.dispatch()
	}
}
