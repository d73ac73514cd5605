package main

import (
	"fmt"
	"slices"

	"rideshare/e2e/report"
)

// goal is a ratio that is to be reached within a run.
type goal struct {
	what    string
	bound   float64
	atMost  bool // otherwise it is the least
	measure func(results, outages) (ratio float64, measured bool)
}

func goals() []goal {
	rate := func(workload, other, otherWorkload string) func(results, outages) (float64, bool) {
		return func(r results, _ outages) (float64, bool) {
			a, ok := r.median(cell{ours, workload, 64})
			b, ok2 := r.median(cell{other, otherWorkload, 64})
			return quotient(a.PerSecond, b.PerSecond), ok && ok2
		}
	}
	return []goal{
		{"writes per second at 64 connections, to those of the plain server", 1.0, false, rate(write, plain, write)},
		{"the same, to those of Group Replication", 2.0, false, rate(write, group, write)},
		{"median time of a write at 1 connection, to the plain server's", 4.0, true, func(r results, _ outages) (float64, bool) {
			a, ok := r.median(cell{ours, write, 1})
			b, ok2 := r.median(cell{plain, write, 1})
			return quotient(float64(a.P50), float64(b.P50)), ok && ok2
		}},
		{"eventual reads per second at 64 connections, to the plain server's", 0.7, false, rate(eventual, plain, eventual)},
		{"strong reads per second at 64 connections, to the plain server's", 0.4, false, rate(strong, plain, eventual)},
		{"time without a write after the kill of the primary: Group Replication's, to ours", 20, false, func(_ results, o outages) (float64, bool) {
			a, b := o.median(group), o.median(ours)
			return quotient(float64(a), float64(b)), a > 0 && b > 0
		}},
	}
}

func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// met reports whether the ratio is what is wanted.
func (g goal) met(ratio float64) bool {
	if g.atMost {
		return ratio <= g.bound
	}
	return ratio >= g.bound
}

// goalTable says of each goal whether it is met.
func goalTable(r results, o outages) report.Table {
	t := report.Table{Columns: []string{"goal, as a ratio within the run", "wanted", "measured", ""}}
	for _, g := range goals() {
		wanted := fmt.Sprintf("at least %g", g.bound)
		if g.atMost {
			wanted = fmt.Sprintf("at most %g", g.bound)
		}
		ratio, measured := g.measure(r, o)
		t.Add(g.what, wanted, fmt.Sprintf("%.2f", ratio), verdict(measured, g.met(ratio)))
	}
	return t
}

// verdict is the last cell of a goal's row.
func verdict(measured, met bool) string {
	switch {
	case !measured:
		return "not measured: see what failed"
	case met:
		return "met"
	default:
		return "**missed**"
	}
}

// figures is the table of all cells.
func figures(r results, systems []string) report.Table {
	t := report.Table{Columns: []string{"request", "system"}}
	for _, what := range []string{"a second", "p50", "p90", "p99"} {
		for _, n := range connections() {
			t.Columns = append(t.Columns, fmt.Sprintf("%s, %d conn.", what, n))
		}
	}
	for _, w := range workloads() {
		for _, s := range systems {
			if _, measured := r[cell{s, w.name, connections()[0]}]; measured {
				t.Add(append([]any{w.name, s}, figuresOf(r, s, w.name)...)...)
			}
		}
	}
	return t
}

func figuresOf(r results, system, workload string) []any {
	var rates, p50, p90, p99 []any
	for _, n := range connections() {
		m, valid := r.median(cell{system, workload, n})
		if !valid {
			invalid := fmt.Sprintf("failed: %d", m.Failed)
			rates, p50, p90, p99 = append(rates, invalid), append(p50, "-"), append(p90, "-"), append(p99, "-")
			continue
		}
		rates, p50 = append(rates, fmt.Sprintf("%.0f", m.PerSecond)), append(p50, m.P50)
		p90, p99 = append(p90, m.P90), append(p99, m.P99)
	}
	return append(append(append(rates, p50...), p90...), p99...)
}

// outageTable is the table of the kills.
func outageTable(o outages, systems ...string) report.Table {
	t := report.Table{Columns: []string{
		fmt.Sprintf("kill of the primary, under %d writers: longest time without an acknowledged write", outageWriters), "median", "longest", "of", "requests failed",
	}}
	for _, s := range systems {
		if times := o[s].times; len(times) > 0 {
			t.Add(s, o.median(s), slices.Max(times), len(times), o[s].failed)
		}
	}
	return t
}
