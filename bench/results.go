package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// cell is what is measured once in each round.
type cell struct {
	system, workload string
	connections      int
}

// String names the cell.
func (c cell) String() string {
	return fmt.Sprintf("%s: %s, %d connections", c.system, c.workload, c.connections)
}

// results are the samples of a run, by cell, one for each round.
type results map[cell][]sample

// connections are with how many a workload is measured.
func connections(workload string) []int {
	if workload == write {
		return []int{1, 16, 64, 256, 1024}
	}
	return []int{1, 16, 64}
}

// median returns the median of each figure of a cell. It is false where there is none, or a request has
// failed: then the cell counts for nothing.
func (r results) median(c cell) (sample, bool) {
	samples := r[c]
	if len(samples) == 0 {
		return sample{}, false
	}
	m := sample{
		PerSecond: middle(samples, func(s sample) float64 { return s.PerSecond }),
		P50:       middle(samples, func(s sample) time.Duration { return s.P50 }),
		P90:       middle(samples, func(s sample) time.Duration { return s.P90 }),
		P99:       middle(samples, func(s sample) time.Duration { return s.P99 }),
	}
	for _, s := range samples {
		m.Requests += s.Requests
		m.Failed += s.Failed
		m.Example = cmp.Or(m.Example, s.Example)
	}
	return m, m.Failed == 0 && m.Requests > 0
}

func middle[S any, T cmp.Ordered](all []S, figure func(S) T) T {
	figures := make([]T, len(all))
	for i, s := range all {
		figures[i] = figure(s)
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// printFailures says which requests have failed.
func (r results) printFailures(out io.Writer) (failed bool) {
	for c := range r {
		if m, valid := r.median(c); !valid {
			failed = true
			fmt.Fprintf(out, "FAILED %s: %d of %d requests: %s\n", c, m.Failed, m.Requests, m.Example)
		}
	}
	return failed
}

// outages are the times without an acknowledged write after kills of the primary, by system, and how
// many requests have failed meanwhile.
type outages map[string]struct {
	times  []time.Duration
	failed int
}

func (o outages) median(system string) time.Duration {
	if len(o[system].times) == 0 {
		return 0
	}
	return middle(o[system].times, func(d time.Duration) time.Duration { return d })
}
