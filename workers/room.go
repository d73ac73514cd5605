package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// roomEvery is how often a replica whose disk is full tries to write again.
const roomEvery = time.Second

// errBehind: a read needs entries that the replica has no room for.
var errBehind = errors.New("behind the log")

// refuseBehind is errBehind as a caller is told of it, without the names that the reason may have.
func refuseBehind() error {
	return fmt.Errorf("%w: %w", errBehind, db.Errorf(db.Unavailable, "the disk is full, and this replica falls behind"))
}

// outOfRoom notes that the database has no room to write; stuck: what the log holds.
func (w *Worker) outOfRoom(err error, stuck bool) {
	full := w.status.now().Full != ""
	w.status.update(func(v *view) {
		if !full { // otherwise the first reason stays: every other text would be news to all workers
			v.Full = err.Error()
		}
		v.Stuck = v.Stuck || stuck
	})
	if !full {
		w.Logger.Warn("the database cannot write: it answers reads from what it has, until there is room", "why", err)
	}
}

// roomAgain notes that the database has written something.
func (w *Worker) roomAgain() {
	if w.status.now().Full == "" {
		return
	}
	w.trial = nil
	w.status.update(func(v *view) { v.Full, v.Stuck = "", false })
	w.Logger.Warn("the database can write again", "position", w.status.now().Log.Position())
}

// waitForRoom is for a database whose writing has just failed. What it was elected for meanwhile is
// for others to do.
func (w *Worker) waitForRoom(ctx context.Context, err error) error {
	w.outOfRoom(err, false)
	select {
	case <-w.orders:
	default:
	}
	if !pause(ctx, roomEvery) {
		return ctx.Err()
	}
	return nil
}

// retryRoom returns a channel on which it is time to try again; nil while there is room.
func (w *Worker) retryRoom() <-chan time.Time {
	if w.status.now().Full == "" {
		return nil
	}
	return time.Tick(roomEvery)
}

// tryRoom writes without an entry to write: first what found no room when the worker was master, which
// is undone, then the state as it is. Without the first, a replica could take itself for well that has
// room for a page and no more, and be elected in vain again and again.
func (r *replica) tryRoom(ctx context.Context) error {
	err := r.rehearse(ctx)
	if err == nil {
		err = r.restate(ctx)
	}
	switch {
	case errors.Is(err, store.ErrFull):
		return nil
	case err != nil:
		return err
	}
	r.roomAgain()
	r.room = nil
	return nil
}

func (r *replica) rehearse(ctx context.Context) error {
	if len(r.trial) == 0 {
		return nil
	}
	tx, err := r.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only ends the transaction
	if _, err = tx.Execute(ctx, r.trial...); refused(err) {
		return nil // the data has changed since, so it says nothing
	}
	return err
}

// restate commits the state that the replica has, where it follows a log, or else the stored one.
func (r *replica) restate(ctx context.Context) error {
	state := r.state
	if state.LogID == "" {
		var err error
		if state, err = r.Store.State(ctx); err != nil {
			return err
		}
	}
	tx, err := r.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after Commit
	return tx.Commit(ctx, store.Bookkeeping{State: state})
}

// hasEntry reports whether one of the events is an entry.
func hasEntry(events []replog.Event) bool {
	for _, e := range events {
		if e.Verdict == replog.Valid {
			return true
		}
	}
	return false
}
