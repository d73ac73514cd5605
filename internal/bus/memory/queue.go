package memory

import (
	"container/list"
	"time"

	"rideshare/internal/bus"
)

// message is a request on its way. It is in exactly one place: in the ready list of its queue, in
// the held list of a consumer, or nowhere any more.
type message struct {
	request    bus.Request
	seq        uint64    // place in the order of its queue
	deadline   time.Time // of its caller; zero: none
	published  time.Time
	reply      chan []byte   // has room for the one reply that counts
	place      *list.Element // in the list it is in; nil: in none
	holder     *consumer     // who holds it, or acknowledged it; nil: nobody
	deliveries int
	acked      bool
	gone       bool // the caller has stopped waiting
}

// queue is guarded by the mutex of its broker.
type queue struct {
	limit      int
	expires    bool           // messages go when their caller does
	deadLetter func(*message) // nil: messages are delivered for ever
	ready      list.List      // of *message, ordered by seq
	consumers  []*consumer    // the subscribed ones
	seq        uint64
	turn       uint64
}

// publish puts a new message at the end.
func (q *queue) publish(m *message) error {
	if q.ready.Len() >= q.limit {
		return bus.ErrFull
	}
	q.seq++
	m.seq = q.seq
	m.place = q.ready.PushBack(m)
	q.dispatch()
	return nil
}

// dispatch hands messages over while there are both messages and consumers with room.
func (q *queue) dispatch() {
	for q.ready.Len() > 0 {
		c := q.next()
		if c == nil {
			return
		}
		m := q.ready.Remove(q.ready.Front()).(*message)
		m.place = nil
		// The caller takes its message back itself when its deadline passes, but may not have
		// got round to it.
		if q.expires && !m.deadline.IsZero() && !time.Now().Before(m.deadline) {
			continue
		}
		q.turn++
		c.turn = q.turn
		c.hand(m)
	}
}

// next returns the consumer for the next message: of those with room the ones of the highest
// priority, of these the one whose turn is longest ago; nil where none has room.
func (q *queue) next() *consumer {
	var best *consumer
	for _, c := range q.consumers {
		if c.held.Len() >= c.prefetch {
			continue
		}
		if best == nil || c.priority > best.priority || c.priority == best.priority && c.turn < best.turn {
			best = c
		}
	}
	return best
}

// putBack puts a message that was delivered back at its old place, without handing it over. That
// is at the front, but for the messages before it that other consumers have put back.
func (q *queue) putBack(m *message) {
	m.holder, m.place = nil, nil
	switch {
	case q.expires && m.gone:
		return
	case q.deadLetter != nil && m.deliveries >= bus.DeliveryLimit:
		q.deadLetter(m)
		return
	}
	for e := q.ready.Front(); e != nil; e = e.Next() {
		if e.Value.(*message).seq > m.seq {
			m.place = q.ready.InsertBefore(m, e)
			return
		}
	}
	m.place = q.ready.PushBack(m)
}

// abandon notes that the caller has stopped waiting, and drops the message where it expires.
func (q *queue) abandon(m *message) {
	m.gone = true
	if waits := m.holder == nil && m.place != nil; waits && q.expires {
		q.ready.Remove(m.place)
		m.place = nil
	}
}
