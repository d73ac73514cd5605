package watcher

import (
	"context"
	"errors"
	"slices"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
)

// topology answers with the cluster as it is.
func (w *Watcher) topology(ctx context.Context) cluster.Answer {
	t, err := w.look(ctx)
	if errors.Is(err, registry.ErrUnavailable) {
		return problem(cluster.NoRegistry, "%s", err)
	}
	if err != nil {
		return problem(cluster.Failed, "%s", err)
	}
	return cluster.Answer{Topology: &t}
}

const (
	// registryPatience is how long a command waits at least for a registry that is away: longer than the servers
	// that are left of three take to agree on who leads them.
	registryPatience = 5 * time.Second
	registryPause    = 100 * time.Millisecond
)

// look describes the cluster. It waits for a registry that is away for a moment, up to half of the time that
// its caller has.
func (w *Watcher) look(ctx context.Context) (t cluster.Topology, err error) {
	patience := registryPatience
	if end, ok := ctx.Deadline(); ok {
		patience = max(patience, time.Until(end)/2)
	}
	for begun := time.Now(); ; {
		t, err = w.lookOnce(ctx)
		if !errors.Is(err, registry.ErrUnavailable) || time.Since(begun) > patience {
			return t, err
		}
		select {
		case <-time.After(registryPause):
		case <-ctx.Done():
			return t, err
		}
	}
}

// lookOnce describes the cluster: the workers that are registered and run, sorted by id.
func (w *Watcher) lookOnce(ctx context.Context) (cluster.Topology, error) {
	config, err := w.config(ctx)
	if err != nil {
		return cluster.Topology{}, err
	}
	o, err := w.observe(ctx, config)
	if err != nil {
		return cluster.Topology{}, err
	}
	t := cluster.Topology{
		Workers:    []cluster.Worker{},
		Desired:    cluster.Desired{Slaves: config.Slaves, Auto: config.Auto, Min: w.Rule.Min, Max: w.Rule.Max},
		Recoveries: w.recoveries.list(),
		Watcher:    w.ID,
	}
	if t.Recoveries == nil {
		t.Recoveries = []cluster.Recovery{}
	}
	w.mu.Lock()
	t.Faults = faults(o, w.createWhy)
	w.mu.Unlock()
	p := planner{Observation: o}
	running := slices.DeleteFunc(o.Members, func(m registry.Member) bool { return !p.runs(m) })
	var newest uint64
	for _, m := range running {
		newest = max(newest, m.Position.Seq)
		t.Epoch = max(t.Epoch, m.Position.Epoch)
	}
	t.LogLeader, t.RegistryLeader = leaderOf(running), cluster.Leader(o.Master)
	if t.Epoch > 0 {
		t.EpochFrom = cluster.FromReplicas
	}
	for _, m := range running {
		// A worker in a container does not know its process id outside of it.
		if i := slices.IndexFunc(o.Pairs, func(p pairs.Pair) bool { return p.Worker.ID == m.ID }); i >= 0 {
			m.PID = o.Pairs[i].Worker.PID
		}
		// The log decides who is master, and has accepted who says so itself. A worker that was
		// elected is not master before; until then the former one goes on.
		if m.Role == cluster.Master && m.ID == t.LogLeader.Worker {
			t.Master, t.Epoch, t.EpochFrom = m.ID, t.LogLeader.Epoch, cluster.FromMaster
		} else {
			m.Role = cluster.Slave
			if m.ID == o.Master.Worker {
				t.Elected = m.ID
			}
		}
		t.Workers = append(t.Workers, cluster.Worker{
			ID: m.ID, Pair: m.Pair, Addr: m.Addr, Role: m.Role, State: m.State, PID: m.PID,
			Position: m.Position, Lag: newest - m.Position.Seq, Reads: m.Reads, Writes: m.Writes, Database: m.Database, CutOff: m.CutOff,
		})
	}
	if t.Master != "" || t.Elected != "" {
		return t, nil // the epoch of an elected worker does not count before the log has accepted it
	}
	latest, err := w.Registry.Epoch(ctx)
	if latest > t.Epoch {
		t.Epoch, t.EpochFrom = latest, cluster.FromRegistry
	}
	return t, err
}

// leaderOf returns the master according to the log, as far as those members have read it.
func leaderOf(members []registry.Member) (leader cluster.Leader) {
	for _, m := range members {
		if m.Leader.Epoch > leader.Epoch {
			leader = cluster.Leader(m.Leader)
		}
		if m.Role == cluster.Master && (leader.Worker == "" || m.Position.Epoch > leader.Epoch) { // it came to lead before it could tell
			leader = cluster.Leader{Worker: m.ID, Epoch: m.Position.Epoch}
		}
	}
	return leader
}
