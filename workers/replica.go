package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

var (
	// errDeposed: a higher marker was read. The worker goes on as a slave.
	errDeposed = errors.New("deposed")
	// errLost: the log does not hold any more what was read from it. The worker goes on as a slave.
	errLost = fmt.Errorf("%w: the log was lost", errDeposed)
	// errYielded: the worker is cut off from the log, and another is not. The worker goes on as a slave.
	errYielded = errors.New("cut off from the log, which others can reach")
)

// replica owns the store's writing side: one goroutine folds the log into the database, as slave
// (follow) or as master (lead).
type replica struct {
	*Worker
	follower *replog.Follower
	pending  []replog.Event   // received and not handled yet
	state    replog.State     // after the last event that was handled; its data is committed
	idle     int              // records since the last entry
	attached bool             // it has followed a log since it started
	seeded   bool             // it has begun the log that it follows, so it has all there is
	gatherer gatherer         // of an office
	checks   *time.Ticker     // whether the database's files are still there
	room     <-chan time.Time // while the disk is full: when to try again
}

// replicate keeps the database equal to the log, and rebuilds it where it does not belong to it.
func (w *Worker) replicate(ctx context.Context) error {
	if err := w.joinIfEmpty(ctx); err != nil {
		return err
	}
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 50*time.Millisecond, 2*time.Second
	for {
		err := w.followLog(ctx)
		if errors.Is(err, store.ErrGone) {
			return w.give(ctx, err)
		}
		if errors.Is(err, store.ErrFull) {
			// The last transaction may be stored or not: begin again from the stored state.
			if err := w.waitForRoom(ctx, err); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, replog.ErrForeign) && !errors.Is(err, replog.ErrCorrupt) {
			return err
		}
		w.Logger.Error("rebuilding the database from another replica", "why", err)
		// It answers no reads, gives no snapshots and stands for no election meanwhile.
		w.status.update(func(v *view) { v.State = cluster.Joining })
		select {
		case <-w.orders: // for the replica that it was
		default:
		}
		// Where the rebuilt one is no better, its donor is not asked again and again at once.
		if !pause(ctx, retry.NextBackOff()) {
			return ctx.Err()
		}
		if err := w.join(ctx); err != nil {
			return err
		}
	}
}

// followLog follows the log from the stored state until that is not possible any more.
func (w *Worker) followLog(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	state, err := w.Store.State(ctx)
	if err != nil {
		return err
	}
	r := &replica{
		Worker: w, state: state, follower: replog.Follow(ctx, w.Log, state, w.Quiet), checks: time.NewTicker(statusEvery),
	}
	defer r.follower.Close()
	defer r.checks.Stop()
	w.following.Store(r.follower)
	r.room = w.retryRoom()
	serves := false
	w.status.update(func(v *view) {
		serves = v.Full != "" && v.serving() // it goes on to answer reads, wherever the log has got to
		*v = view{State: cluster.Following, Log: state, Leader: v.Leader, Full: v.Full, Stuck: v.Stuck, Aside: v.Aside}
		if serves {
			v.State = cluster.Serving
		}
	})
	if !serves {
		w.barriers.join() // reading it back tells that this is the end of the log
	}
	for {
		if err := r.follow(ctx); err != nil {
			return err
		}
	}
}

// follow handles one batch of events, or one order.
func (r *replica) follow(ctx context.Context) error {
	if len(r.pending) == 0 {
		select {
		case events, ok := <-r.follower.Events():
			if !ok {
				return r.follower.Err()
			}
			r.pending = events
			return r.applyLazily(ctx)
		case o := <-r.orders:
			return r.obey(ctx, o)
		case <-r.checks.C:
			return r.Store.Intact()
		case <-r.room:
			return r.tryRoom(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return r.applyPending(ctx)
}

func (r *replica) applyPending(ctx context.Context) error {
	events := r.pending
	r.pending = nil
	return r.apply(ctx, events)
}

func (r *replica) obey(ctx context.Context, o order) error {
	select {
	case <-r.yields: // of an earlier office
	default:
	}
	switch {
	case o.open:
		if v := r.status.now(); v.Log.Position() == o.at {
			r.Logger.Info("this is the end of the log for all replicas", "position", o.at)
			r.serve()
		}
		return nil
	case o.seed:
		return r.seed(ctx, o.above)
	}
	if full := r.status.now().Full; full != "" {
		// Its disk was found to be full while it was being elected.
		r.Logger.Info("elected in vain", "epoch", o.epoch, "why", full)
		r.resign(ctx, o.epoch)
		return nil
	}
	r.status.update(func(v *view) { v.Elected = o.epoch })
	err := r.lead(ctx, o.epoch)
	r.leave(ctx, o.epoch, err)
	if errors.Is(err, errDeposed) || errors.Is(err, errYielded) {
		return nil
	}
	return err
}

// apply applies events: the data and bookkeeping of all entries in one transaction, then what
// they mean to those who wait.
func (r *replica) apply(ctx context.Context, events []replog.Event) error {
	if len(events) == 0 {
		return nil
	}
	last := events[len(events)-1].State
	for rest := events; len(rest) > 0; {
		var batch []replog.Event
		batch, rest = split(rest)
		err := r.store(ctx, batch)
		if errors.Is(err, store.ErrFull) {
			stuck := hasEntry(batch)
			r.outOfRoom(err, stuck)
			if stuck {
				r.serve() // what it cannot store is a sign of a master all the same
			}
			if !stuck { // that it follows a new log is stored with the first entry, as a new epoch is
				r.room = r.retryRoom()
				continue
			}
		}
		if err != nil {
			return err
		}
	}
	r.state = last
	r.status.update(func(v *view) {
		v.Log = last
		for _, e := range events {
			if e.Verdict == replog.NewEpoch {
				v.Leader = registry.Master{Worker: e.Record.Worker, Epoch: e.Record.Epoch}
			}
		}
		switch {
		case last.LogID == "":
			v.AtEnd = false
			if v.State == cluster.Serving {
				v.State = cluster.Following
			}
		case v.State == cluster.Unseeded:
			v.State = cluster.Following
		}
	})
	for _, e := range events {
		r.note(e)
	}
	return nil
}

// note handles what an event means beside its data.
func (r *replica) note(e replog.Event) {
	if e.Lost() {
		r.seeded = false
	}
	switch {
	case e.Lost() && r.attached:
		r.Logger.Error("the log was lost", "position", r.state.Position())
		r.barriers.join()
	case e.Lost(): // where the log lives in memory, every start begins so
		r.Logger.Info("the log does not hold this database's history", "position", r.state.Position())
		r.barriers.join()
	case e.Verdict == replog.Adopted:
		r.Logger.Info("following a new log", "log", e.State.LogID, "position", e.State.Position())
	case e.Verdict == replog.NewEpoch:
		r.Logger.Debug("new epoch", "epoch", e.State.Epoch, "master", e.Record.Worker)
		r.serve()
	case e.Verdict == replog.Passed && e.State.LogID != "":
		r.idle++
		own := r.barriers.own(e.Record.Nonce)
		r.barriers.pass(e.Record.Nonce)
		r.attached = true
		if own && r.state.LogID != "" {
			r.status.update(func(v *view) { v.AtEnd = true })
			if r.seeded {
				r.serve()
			}
		}
	case e.Verdict == replog.Passed && r.barriers.own(e.Record.Nonce):
		// The end of the log, and nothing in it goes on from here.
		r.status.update(func(v *view) { v.State = cluster.Unseeded })
	case e.Verdict == replog.Valid:
		r.idle = 0
		r.serve()
	}
}

// split takes the events off that go into one transaction: all up to the loss of the log, whose state is not to be stored,
// but for an entry with a migration, which has one of its own. Where DDL commits, it would commit what came before it.
func split(events []replog.Event) (batch, rest []replog.Event) {
	for i, e := range events {
		if e.Lost() && i > 0 {
			return events[:i], events[i:]
		}
		if e.Verdict == replog.Valid && e.Record.Migrates() {
			n := max(i, 1)
			return events[:n], events[n:]
		}
	}
	return events, nil
}

// store commits what the entries among events say.
func (r *replica) store(ctx context.Context, events []replog.Event) error {
	var b store.Bookkeeping
	changed := false
	for _, e := range events {
		changed = changed || e.Verdict == replog.Valid || e.Verdict == replog.Adopted
	}
	if !changed {
		return nil // a new epoch is stored with its first entry; until then it is read again
	}
	tx, err := r.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after Commit
	b.State = events[len(events)-1].State
	var requests [][]db.Op
	for _, e := range events {
		if e.Verdict == replog.Valid {
			requests = append(requests, e.Record.Requests()...)
			bookkeep(&b, e.Record)
		}
	}
	if err := execute(ctx, tx, requests, b.State.Position()); err != nil {
		return err
	}
	if err := tx.Commit(ctx, b); err != nil {
		return err
	}
	r.roomAgain()
	return nil
}

// execute executes what the entries up to a position say, together. It was executed by their masters
// in the same state before, so a refusal means that the states are not the same.
func execute(ctx context.Context, tx store.Tx, requests [][]db.Op, upTo db.Position) error {
	if len(requests) == 0 {
		return nil
	}
	_, err := tx.Execute(ctx, requests...)
	if refused(err) {
		return fmt.Errorf("%w: the entries up to %s cannot be applied: %w", replog.ErrCorrupt, upTo, err)
	}
	return err
}

// bookkeep adds an entry to what is stored with its data.
func bookkeep(b *store.Bookkeeping, entry *replog.Record) {
	b.Sequences = entry.Sequences
	b.Expire = entry.At.Add(-store.ReplyLifetime)
	for _, t := range entry.Txs {
		for _, op := range t.Ops {
			if !op.Forget.IsZero() {
				discard(b.Replies, op.Forget)
			}
		}
		if t.ID == "" {
			continue
		}
		b.Replies = append(b.Replies, store.StoredReply{ID: t.ID, At: entry.At, Body: t.Reply})
	}
}

// discard replaces replies that are not stored yet, as a clear replaces the stored ones.
func discard(replies []store.StoredReply, at time.Time) {
	for i := range replies {
		replies[i].At, replies[i].Body = at, db.Reply{Cleared: at}.Encode()
	}
}

// next returns the next event.
func (r *replica) next(ctx context.Context) (replog.Event, error) {
	if len(r.pending) == 0 {
		select {
		case events, ok := <-r.follower.Events():
			if !ok {
				return replog.Event{}, r.follower.Err()
			}
			r.pending = events
		case <-r.yields:
			return replog.Event{}, errYielded
		case <-ctx.Done():
			return replog.Event{}, ctx.Err()
		}
	}
	e := r.pending[0]
	r.pending = r.pending[1:]
	return e, nil
}

// propose appends a record until it is read back, and returns that event. It hands every event before
// it to before, which ends the wait by an error. What is appended never changes, so appending it
// again when an append failed does no harm: the fold skips all but the first.
func (r *replica) propose(ctx context.Context, record *replog.Record, before func(replog.Event) error) (replog.Event, error) {
	data := record.Encode()
	hash := replog.HashOf(data)
	r.follower.Expect(record, hash)
	since := time.Now()
	r.proposed.Store(&since)
	defer r.proposed.Store(nil)
	appending, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for appending.Err() == nil {
			wait := retryEvery
			if err := r.Log.Append(appending, data); err != nil {
				wait = 50 * time.Millisecond
			}
			pause(appending, wait)
		}
	}()
	for {
		e, err := r.next(ctx)
		if err != nil {
			return replog.Event{}, err
		}
		if e.Hash == hash && e.Verdict != replog.Passed && !e.Lost() {
			return e, nil
		}
		if err := before(e); err != nil {
			return replog.Event{}, err
		}
		now := time.Now() // the log goes on, and what came before may take long
		r.proposed.Store(&now)
	}
}
