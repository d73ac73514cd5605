package watcher

import (
	"cmp"
	"slices"
	"strings"

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

// explain completes the causes of deaths: an event tells only what is known at once. A part that died of the
// death of the other keeps that as its cause.
func (w *Watcher) explain(all []pairs.Pair) {
	for _, pair := range all {
		for part, p := range map[pairs.Part]pairs.Process{pairs.WorkerPart: pair.Worker, pairs.DatabasePart: pair.Database} {
			if p.Running || p.Fault == "" {
				continue
			}
			w.mu.Lock()
			h := w.history[pair.ID]
			more := strings.HasPrefix(h.Why, died(part, "")) && h.Why != died(part, p.Fault)
			if more {
				h.Why = died(part, p.Fault)
				w.history[pair.ID] = h
			}
			w.mu.Unlock()
			if more {
				w.Logger.Warn("cause of death", "pair", pair.ID, "part", part, "worker", pair.Worker.ID, "why", p.Fault)
				w.recoveries.explain(pair.Worker.ID, died(part, p.Fault))
			}
		}
	}
}

// died is how a death is told.
func died(part pairs.Part, why string) string { return string(part) + " died: " + why }

// faults returns the pairs that do not serve after something has gone wrong with them, and why. A pair that
// dies again and again is among them also while it runs.
func faults(o Observation, createWhy string) []cluster.PairFault {
	p := planner{Observation: o}
	var all []cluster.PairFault
	for _, pair := range o.Pairs {
		serves := slices.ContainsFunc(o.Members, func(m registry.Member) bool { return m.Pair == pair.ID && p.serves(m) })
		why := cmp.Or(o.History[pair.ID].Why, stopped(pairs.WorkerPart, pair.Worker), stopped(pairs.DatabasePart, pair.Database))
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
func stopped(part pairs.Part, p pairs.Process) string {
	if p.Running || p.Fault == "" {
		return ""
	}
	return died(part, p.Fault)
}
