package watcher

import (
	"cmp"
	"slices"

	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
)

// blame notes why a pair does not serve, until it does.
func (w *Watcher) blame(pair, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.history[pair]
	h.Why = why
	w.history[pair] = h
}

// faults returns the pairs that do not serve after something has gone wrong with them, and why. A pair that
// dies again and again is among them also while it runs.
func faults(o Observation, createWhy string) []cluster.PairFault {
	p := planner{Observation: o}
	var all []cluster.PairFault
	for _, pair := range o.Pairs {
		serves := slices.ContainsFunc(o.Members, func(m registry.Member) bool { return m.Pair == pair.ID && p.serves(m) })
		why := cmp.Or(o.History[pair.ID].Why, stopped("worker", pair.Worker), stopped("database", pair.Database))
		if !serves && why != "" && !o.History[pair.ID].Removing {
			all = append(all, cluster.PairFault{Pair: pair.ID, Why: why})
		}
	}
	if createWhy != "" {
		all = append(all, cluster.PairFault{Why: "create failed: " + createWhy})
	}
	return all
}

// stopped says why a process does not run; empty where it does, or never did.
func stopped(part string, p pairs.Process) string {
	if p.Running || p.Fault == "" {
		return ""
	}
	return part + " died: " + p.Fault
}
