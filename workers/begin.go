package workers

import (
	"context"
	"errors"
	"slices"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
)

// This file is about who may begin: a log that has lost its end proves nothing by where it ends
// (docs/decisions/0035-a-log-that-has-lost-its-end.md).

// serve lets the worker answer requests, once it has been at the end of the log and a master has written there since.
// To be at the end is not enough: a log that has lost its end, as when a broker loses power, ends before what was
// acknowledged, and what another replica has.
func (r *replica) serve() {
	r.status.update(func(v *view) {
		if v.AtEnd && v.State == cluster.Following {
			v.State = cluster.Serving
		}
	})
}

// asksFor reports whether a member of that log has been at its end, and waits for a sign that the master is there, too.
func asksFor(m registry.Member, log string) bool {
	return m.State == cluster.Following && m.AtEnd && m.LogID == log
}

// complete reports whether the log holds all that the registered replicas have. If a member has more than this
// worker, the log mostly brings it within milliseconds. If it does not, the log has lost its end, and the member is
// the one to go on from.
func (w *Worker) complete(ctx context.Context) (bool, error) {
	members, err := w.Registry.Members(ctx) // again: a master that lost the log has registered before it resigned
	if err != nil {
		return false, err
	}
	if _, more := w.more(members); !more {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, statusEvery)
	defer cancel()
	if w.catchUp(ctx) != nil {
		return false, nil // it is asked again, in a second
	}
	m, more := w.more(members)
	if more {
		w.Logger.Warn("the log ends before the database of another replica: leaving it to that", "at", w.status.now().Log.Position(), "other", m.ID, "there", m.Position)
	}
	return !more, nil
}

// more returns a member whose database has more than this worker's, but for those whose data is about to be replaced or
// was deleted.
func (w *Worker) more(members []registry.Member) (registry.Member, bool) {
	at := w.status.now().Log.Position()
	i := slices.IndexFunc(members, func(m registry.Member) bool {
		return m.Position.Seq > at.Seq && m.State != cluster.Joining && m.State != cluster.Deleted
	})
	if i < 0 {
		return registry.Member{}, false
	}
	return members[i], true
}

// seed begins a new log where this database ends, or the same one again. Another worker's genesis may come first.
func (r *replica) seed(ctx context.Context, above uint64) error {
	if r.state.LogID != "" {
		return nil
	}
	genesis := r.state.NewGenesis(newID(), r.ID, above)
	r.Logger.Info("seeding a new log", "log", genesis.LogID, "position", r.state.Position(), "again", r.state.Beyond)
	e, err := r.propose(ctx, &genesis, func(e replog.Event) error {
		if e.Verdict == replog.Adopted || e.State.Fence >= genesis.Epoch { // it will not count
			r.pending = append([]replog.Event{e}, r.pending...)
			return errSeeded
		}
		return r.apply(ctx, []replog.Event{e})
	})
	if errors.Is(err, errSeeded) {
		return nil
	}
	if err != nil {
		return err
	}
	r.seeded = true
	return r.apply(ctx, []replog.Event{e})
}

// errSeeded: another worker has seeded the log, or was elected in an epoch as late.
var errSeeded = errors.New("seeded by another")
