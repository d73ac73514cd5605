package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"rideshare/client"
)

const (
	deathsWithin = 10 * time.Minute
	tooManyTimes = 5 // deaths within that time which are a fault by themselves, though each was made good
)

// checkDeaths names the cause of what has died: it is a fault while it is not made good, or if it happens
// again and again.
func checkDeaths(o *observation) finding {
	const part = "deaths"
	last := o.last()
	if last == nil {
		return unseen(part, "the topology cannot be seen")
	}
	// A pair that is just being replaced does not count: it has to be seen twice.
	if o.later != nil && len(o.topology.Faults) > 0 && len(last.Faults) > 0 {
		var all []string
		for _, f := range last.Faults {
			all = append(all, faultOf(f))
		}
		return finding{part, fault, strings.Join(all, "; "), "put the cause right; the watcher goes on trying. More is in " + o.logOf("the watcher")}
	}
	var recent []client.Recovery
	for _, r := range last.Recoveries {
		if o.now.Sub(r.At) < deathsWithin && r.Role != "master" { // of a master's death there are two
			recent = append(recent, r)
		}
	}
	if len(recent) == 0 {
		return ok(part, "none in the last %.0f minutes", deathsWithin.Minutes())
	}
	found := fmt.Sprintf("%d in the last %.0f minutes, made good; the last: %s", len(recent), deathsWithin.Minutes(), recent[0].Why)
	if len(recent) < tooManyTimes {
		return ok(part, "%s", found)
	}
	return finding{part, fault, found, "look for what ends them in " + o.logOf("that worker and of its database")}
}

func faultOf(f client.PairFault) string { return cmp.Or(f.Pair, "a new pair") + ": " + f.Why }

// unwritable returns a worker that says that its database cannot write; nil where there is none.
func unwritable(t *client.Topology) *client.Worker {
	for i, w := range t.Workers {
		if w.Database != "ok" {
			return &t.Workers[i]
		}
	}
	return nil
}
