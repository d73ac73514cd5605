package workers

import (
	"context"
	"sync/atomic"
	"time"

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
	hurry   chan struct{} // somebody has begun to wait
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

// applyLazily applies what is pending, together with what comes until it may wait no longer.
func (r *replica) applyLazily(ctx context.Context) error {
	o, err := r.hold(ctx)
	if err != nil {
		return err
	}
	if err := r.applyPending(ctx); err != nil || o == nil {
		return err
	}
	return r.obey(ctx, *o)
}

// hold waits for more events to apply together with those that are pending, for up to maxHold. It does not wait while
// the replica catches up, while somebody waits for what it has, and for an event that means more than its data: a new
// epoch, the end or another log, this replica's own barrier, and a change of the schema, which reads may need. An order
// ends the wait and is returned.
func (r *replica) hold(ctx context.Context) (o *order, err error) {
	over := time.NewTimer(maxHold)
	defer over.Stop()
	for r.patient() {
		select {
		case events, ok := <-r.follower.Events():
			if !ok {
				return nil, nil // follow finds it out, when it has applied these
			}
			r.pending = append(r.pending, events...)
		case o := <-r.orders:
			return &o, nil
		case <-r.demand.hurry:
		case <-over.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, nil
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
