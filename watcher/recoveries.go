package watcher

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
)

// keptRecoveries is how many recoveries are remembered.
const keptRecoveries = 50

// recoveries is the recovery log: what was put right, why, and how long it took.
type recoveries struct {
	logger  *slog.Logger
	metrics Metrics

	mu     sync.Mutex
	done   []cluster.Recovery // newest first
	open   []incident
	last   Observation
	before map[string]bool // workers whose incident was begun
}

// incident is a death that is not made good yet.
type incident struct {
	worker  string
	why     string
	since   time.Time
	elected time.Time // when the election of the next master was noticed
	// epoch is that of the dead master: over when there is one of a later epoch. 0 for a slave:
	// over when there are as many serving workers as there should be.
	epoch uint64
}

// kind says what makes the death good.
func (i incident) kind() string {
	if i.epoch > 0 {
		return "failover"
	}
	return "replacement"
}

func newRecoveries(l *slog.Logger, m Metrics) *recoveries {
	return &recoveries{logger: l, metrics: m, before: map[string]bool{}}
}

// begin begins the recovery from the death of a worker.
func (r *recoveries) begin(worker, why string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before[worker] {
		return
	}
	r.before[worker] = true
	if i := slices.IndexFunc(r.last.Pairs, func(p pairs.Pair) bool { return p.Worker.ID == worker }); i < 0 {
		return // not one of those that should be there
	}
	if r.last.Master.Worker == worker {
		r.open = append(r.open, incident{worker: worker, why: why, since: now, epoch: r.last.Master.Epoch})
	}
	r.open = append(r.open, incident{worker: worker, why: why, since: now})
}

// explain says better why a worker died.
func (r *recoveries) explain(worker, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.open {
		if r.open[i].worker == worker {
			r.open[i].why = why
		}
	}
	for i := range r.done {
		if r.done[i].Worker == worker {
			r.done[i].Why = reason(r.done[i].Role, worker, why)
		}
	}
}

// reason says for what there was a recovery.
func reason(role cluster.Role, worker, why string) string {
	if role == cluster.Master {
		worker = "master " + worker
	}
	return worker + ": " + why
}

// observe closes what is over.
func (r *recoveries) observe(o Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = o
	p := planner{Observation: o}
	for i := range r.open {
		if open := &r.open[i]; open.epoch > 0 && open.elected.IsZero() && o.Master.Epoch > open.epoch {
			open.elected = o.Now
		}
	}
	r.open = slices.DeleteFunc(r.open, func(i incident) bool {
		var what string
		for _, m := range o.Members {
			if i.epoch > 0 && m.Role == cluster.Master && o.Master.Worker == m.ID && o.Master.Epoch > i.epoch {
				what = fmt.Sprintf("%s is master of epoch %d", m.ID, o.Master.Epoch)
			}
		}
		if i.epoch == 0 && p.servingPairs() >= o.Slaves+1 {
			what = fmt.Sprintf("%d replicas are serving", o.Slaves+1)
		}
		if what == "" {
			return false
		}
		done := cluster.Recovery{
			At: i.since.UTC(), Worker: i.worker, Role: cluster.Slave,
			What: what, Duration: cluster.MillisOf(o.Now.Sub(i.since)),
		}
		if i.epoch > 0 {
			done.Role, done.Elected = cluster.Master, cluster.MillisOf(i.elected.Sub(i.since))
		}
		done.Why = reason(done.Role, i.worker, i.why)
		r.metrics.Recovered(i.kind(), o.Now.Sub(i.since))
		r.logger.Info("recovered", "what", what, "why", done.Why, "took", o.Now.Sub(i.since))
		r.done = slices.Insert(r.done, 0, done)
		r.done = r.done[:min(len(r.done), keptRecoveries)]
		return true
	})
}

// list returns the recoveries, newest first.
func (r *recoveries) list() []cluster.Recovery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.done)
}
