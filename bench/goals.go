package main

import (
	"fmt"
	"slices"

	"rideshare/e2e/report"
)

// measured is all that a run has measured.
type measured struct {
	results
	outages
	costs // of all of a system
}

// goal is a figure that is to be reached within a run: a ratio, or a number that does not depend on the machine.
type goal struct {
	what    string
	bound   float64
	atMost  bool // otherwise it is the least
	measure func(measured) (figure float64, measured bool)
}

// goals are those of the system, and what follows from them.
func goals() []goal {
	rate := func(a, b cell) func(measured) (float64, bool) {
		return func(m measured) (float64, bool) {
			x, ok := m.results.median(a)
			y, ok2 := m.results.median(b)
			return quotient(x.PerSecond, y.PerSecond), ok && ok2
		}
	}
	wait := func(a, b cell) func(measured) (float64, bool) {
		return func(m measured) (float64, bool) {
			x, ok := m.results.median(a)
			y, ok2 := m.results.median(b)
			return quotient(float64(x.P50), float64(y.P50)), ok && ok2
		}
	}
	cost := func(a, b cell) func(measured) (float64, bool) {
		return func(m measured) (float64, bool) {
			x, ok := m.costs.median(a)
			y, ok2 := m.costs.median(b)
			return quotient(float64(x.time), float64(y.time)), ok && ok2
		}
	}
	return []goal{
		{"writes a second at 64 connections, to the plain server's", 0.30, false, rate(cell{ours, write, 64}, cell{plain, write, 64})},
		{"the same, to Group Replication's", 1.3, false, rate(cell{ours, write, 64}, cell{group, write, 64})},
		{"the same at 256 connections", 1.6, false, rate(cell{ours, write, 256}, cell{group, write, 256})},
		{"writes a second at 1,024 connections, to those at 256", 1, false, rate(cell{ours, write, 1024}, cell{ours, write, 256})},
		{"median time of a write at 1 connection, to the plain server's", 9, true, wait(cell{ours, write, 1}, cell{plain, write, 1})},
		{"the same, to Group Replication's", 2, true, wait(cell{ours, write, 1}, cell{group, write, 1})},
		{"eventual reads a second at 64 connections, to the plain server's", 0.30, false, rate(cell{ours, eventual, 64}, cell{plain, eventual, 64})},
		{"strong reads a second at 64 connections, to the plain server's", 0.25, false, rate(cell{ours, strong, 64}, cell{plain, eventual, 64})},
		{"processor time of a write at 64 connections, to that of a write of the plain server", 3.8, true, cost(cell{ours, write, 64}, cell{plain, write, 64})},
		{"processor time of a read at 64 connections, to the same", 2.4, true, cost(cell{ours, eventual, 64}, cell{plain, write, 64})},
		{"context switches of a write at 1 connection", 220, true, func(m measured) (float64, bool) {
			used, ok := m.costs.median(cell{ours, write, 1})
			return used.switches, ok
		}},
		{"one process: writes a second at 64 connections, to the plain server's", 1, false, rate(cell{oneProcess, write, 64}, cell{plain, write, 64})},
		{"one process: reads a second at 64 connections, to the plain server's", 1.3, false, rate(cell{oneProcess, eventual, 64}, cell{plain, eventual, 64})},
		{"time without a write after the kill of the primary: Group Replication's, to ours", 20, false, func(m measured) (float64, bool) {
			a, b := m.outages.median(group), m.outages.median(ours)
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

// met reports whether the figure is what is wanted.
func (g goal) met(figure float64) bool {
	if g.atMost {
		return figure <= g.bound
	}
	return figure >= g.bound
}

// goalTable says of each goal whether it is met.
func goalTable(m measured) report.Table {
	t := report.Table{Columns: []string{"goal, within the run", "wanted", "measured", ""}}
	for _, g := range goals() {
		wanted := fmt.Sprintf("at least %g", g.bound)
		if g.atMost {
			wanted = fmt.Sprintf("at most %g", g.bound)
		}
		figure, measured := g.measure(m)
		t.Add(g.what, wanted, fmt.Sprintf("%.2f", figure), verdict(measured, g.met(figure)))
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
		for _, n := range connections(write) {
			t.Columns = append(t.Columns, fmt.Sprintf("%s, %d conn.", what, n))
		}
	}
	for _, w := range workloads() {
		for _, s := range systems {
			if _, measured := r[cell{s, w.name, connections(w.name)[0]}]; measured {
				t.Add(append([]any{w.name, s}, figuresOf(r, s, w.name)...)...)
			}
		}
	}
	return t
}

func figuresOf(r results, system, workload string) []any {
	var rates, p50, p90, p99 []any
	for _, n := range connections(write) {
		if !slices.Contains(connections(workload), n) {
			rates, p50, p90, p99 = append(rates, ""), append(p50, ""), append(p90, ""), append(p99, "")
			continue
		}
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
