package amqp

import (
	"slices"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// overdueTicks is how many ticks make an AnswerTimeout. Ticks are counted, not time: a process that
// stood still for long has one tick behind it, and has yet to read what the broker sent meanwhile.
const overdueTicks = 4

// overdue gives a node up that leaves a message unconfirmed for the AnswerTimeout, or up to a
// quarter longer. A live connection proves nothing: its heartbeats come from the node's process,
// confirms from the queue's leader, which may be out of the node's reach. Callers need not wait
// for their confirms. While the broker says that it takes no messages, the time does not count.
type overdue struct {
	conn *Conn

	mu      sync.Mutex
	pending []awaited // oldest first
	ticking bool
}

// awaited is a confirm that has not come yet.
type awaited struct {
	confirm *amqp091.DeferredConfirmation
	ticks   int
}

func (a awaited) settled() bool {
	select {
	case <-a.confirm.Done():
		return true
	default:
		return false
	}
}

// add begins to wait for a confirm.
func (o *overdue) add(confirm *amqp091.DeferredConfirmation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) > 0 && o.pending[0].settled() {
		o.pending = o.pending[1:]
	}
	o.pending = append(o.pending, awaited{confirm: confirm})
	if !o.ticking {
		o.ticking = true
		o.wait()
	}
}

func (o *overdue) wait() { time.AfterFunc(o.conn.broker.o.AnswerTimeout/overdueTicks, o.tick) }

func (o *overdue) tick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = slices.DeleteFunc(o.pending, awaited.settled)
	if len(o.pending) == 0 {
		o.ticking = false
		return
	}
	if !o.conn.isBlocked() {
		for i := range o.pending {
			o.pending[i].ticks++
		}
		if o.pending[0].ticks > overdueTicks {
			o.conn.GiveUp() // which settles all that is pending
			return
		}
	}
	o.wait()
}
