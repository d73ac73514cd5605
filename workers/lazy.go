package workers

import (
	"context"
	"sync/atomic"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

// Limits of what a slave holds back.
const (
	maxHold      = 20 * time.Millisecond
	maxHeld      = 64      // events
	maxHeldBytes = 1 << 20 // of their records
)

// demand tells a slave whether somebody waits for what it has received. A slave applies entries lazily: of a
// transaction and its wake-ups, most of the cost does not depend on how many entries it applies.
type demand struct {
	waiting atomic.Int64
	hurry   chan struct{}               // somebody has begun to wait
	held    atomic.Pointer[db.Position] // of the last entry that is held back; nil: none is
}

func newDemand() *demand { return &demand{hurry: make(chan struct{}, 1)} }

// begin notes that somebody waits until the slave has applied what it has, until end.
func (d *demand) begin() {
	d.waiting.Add(1)
	select {
	case d.hurry <- struct{}{}:
	default:
	}
}

func (d *demand) end() { d.waiting.Add(-1) }

// applyHeld waits until the slave has applied what it holds back now. So even a read that asks for no position sees
// all that its replica has received, as if entries were applied at once. It waits for beforeBarrier at most.
func (w *Worker) applyHeld(ctx context.Context) {
	held := w.demand.held.Load()
	if held == nil {
		return
	}
	w.demand.begin()
	defer w.demand.end()
	over := time.NewTimer(beforeBarrier)
	defer over.Stop()
	for {
		v, moved := w.status.progress()
		if v.Log.Position().Covers(*held) {
			return
		}
		select {
		case <-moved:
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// applyLazily applies what is pending, together with what comes until it may wait no longer. When the worker ends, it
// applies what it holds: a log in memory ends at the same moment.
func (r *replica) applyLazily(ctx context.Context) error {
	r.hold(ctx)
	defer r.demand.held.Store(nil)
	applying := ctx
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		applying, cancel = context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
	}
	return r.applyPending(applying)
}

// endTime is how long a worker that ends may take for what it holds.
const endTime = time.Second

// hold waits for more events to apply together with those that are pending, for up to maxHold. It does not wait while
// the replica catches up, while somebody waits for what it has, for an order, and for an event that means more than
// its data: a new epoch, the end or another log, this replica's own barrier, and a change of the schema, which reads
// may need.
func (r *replica) hold(ctx context.Context) {
	over := time.NewTimer(maxHold)
	defer over.Stop()
	for r.patient() {
		last := r.pending[len(r.pending)-1].State.Position()
		r.demand.held.Store(&last)
		select {
		case events, ok := <-r.follower.Events():
			if !ok {
				return // follow finds it out, when it has applied these
			}
			r.pending = append(r.pending, events...)
		case o := <-r.orders:
			select {
			case r.orders <- o: // follow takes it when these are applied
			default: // there is a newer one
			}
			return
		case <-r.demand.hurry:
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// patient reports whether what is pending can wait.
func (r *replica) patient() bool {
	if v := r.status.now(); !v.serving() || v.Full != "" || r.demand.waiting.Load() > 0 || len(r.pending) > maxHeld {
		return false
	}
	bytes := 0
	for _, e := range r.pending {
		switch {
		case e.Lost(), e.Verdict != replog.Valid && e.Verdict != replog.Passed:
			return false
		case r.barriers.own(e.Record.Nonce), e.Record.Migrates():
			return false
		}
		if bytes += e.Size; bytes > maxHeldBytes {
			return false
		}
	}
	return true
}
