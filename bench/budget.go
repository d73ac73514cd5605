package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

// budgetConnections are with how many the budget is measured.
func budgetConnections() []int { return []int{1, 16, 64, 256, 1024} }

// budget measures what a request costs each part of our system, without other systems.
func budget(ctx context.Context, o options, g *generator, s *stack.Stack) error {
	say("starting %s ...", ours)
	c, err := startContainers(ctx, s)
	if err != nil {
		return err
	}
	if err := c.seed(ctx); err != nil {
		return err
	}
	b, err := c.budgets(ctx, o, o.rounds, g)
	if err != nil {
		return err
	}
	tables, err := b.report(ctx, c, o, o.rounds)
	if err != nil {
		return err
	}
	for _, t := range tables {
		fmt.Println(t.Markdown())
	}
	if o.publish {
		if err := report.Update(filepath.Join(o.root, "docs", "measurements.md"), "cost", "make cost", tables...); err != nil {
			return err
		}
	}
	return b.failed()
}

// budgets measures what a request costs each part of our system, in processor time and in context switches. The
// workloads and connections take turns in each round.
func (c *containers) budgets(ctx context.Context, o options, rounds int, g *generator) (budgetResults, error) {
	b := budgetResults{}
	for round := range rounds {
		for _, w := range costed() {
			for _, n := range budgetConnections() {
				m, err := c.budgetOf(ctx, g, w, n, o.measured)
				if err != nil {
					return nil, err
				}
				key := cell{ours, w.name, n}
				b[key] = append(b[key], m)
				say("round %d of %d: %s, %d connections: %.0f a second, p50 %v, %v and %.0f switches a request, %.1f in an entry, %d failed",
					round+1, rounds, w.name, n, m.PerSecond, m.P50, m.used[total].time.Round(time.Microsecond), m.used[total].switches, m.perEntry, m.Failed)
			}
		}
	}
	return b, nil
}

// report returns the tables, with a note.
func (b budgetResults) report(ctx context.Context, c *containers, o options, rounds int) ([]report.Table, error) {
	parts, err := c.parts(ctx)
	if err != nil {
		return nil, err
	}
	var order []string
	for _, p := range parts {
		order = append(order, p.name)
	}
	tables := b.tables(append(order, "generator", total))
	medians := fmt.Sprintf("Medians of %d rounds of %v.", rounds, o.measured)
	if rounds == 1 {
		medians = fmt.Sprintf("One round of %v.", o.measured)
	}
	tables[0].Note = fmt.Sprintf("%s Each cell has the processor time of a request, and how often the threads of the part "+
		"were taken off a processor for it.", medians)
	return tables, nil
}

// failed returns an error if requests have failed, and says which.
func (b budgetResults) failed() error {
	failed := false
	for key, samples := range b {
		for _, m := range samples {
			if m.Failed > 0 {
				failed = true
				fmt.Printf("FAILED %s: %d of %d requests: %s\n", key, m.Failed, m.Requests, m.Example)
			}
		}
	}
	if failed {
		return errors.New("requests have failed: see above")
	}
	return nil
}

// budgetSample is one measurement.
type budgetSample struct {
	sample
	used     map[string]perRequest
	perEntry float64 // requests that an entry of the log carried; 0 where there was none
}

type budgetResults map[cell][]budgetSample

// budgetOf measures one workload.
func (c *containers) budgetOf(ctx context.Context, g *generator, w workload, n int, d time.Duration) (budgetSample, error) {
	parts, err := c.parts(ctx) // the master may be another one by now
	if err != nil {
		return budgetSample{}, err
	}
	if _, err := g.run(ctx, c.system, w, n, 0, time.Second); err != nil { // to warm up
		return budgetSample{}, err
	}
	before, err := c.settled(ctx)
	if err != nil {
		return budgetSample{}, err
	}
	m, used, err := c.measure(ctx, g, w, n, d, parts)
	if err != nil {
		return budgetSample{}, err
	}
	after, err := c.settled(ctx)
	if err != nil {
		return budgetSample{}, err
	}
	if before.Master != after.Master {
		return budgetSample{}, errors.New("the master has changed during a measurement")
	}
	b := budgetSample{sample: m, used: used}
	if entries := position(after) - position(before); entries > 0 {
		b.perEntry = float64(m.Requests) / float64(entries)
	}
	return b, nil
}

// settled returns the topology when the positions in it are those of now: workers tell theirs once a second.
func (c *containers) settled(ctx context.Context) (cluster.Topology, error) {
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
	}
	return c.topology(ctx)
}

// position returns how many entries the master's log has.
func position(t cluster.Topology) uint64 {
	for _, w := range t.Workers {
		if w.ID == t.Master {
			return w.Position.Seq
		}
	}
	return 0
}

// tables returns a table for each workload: of each part the processor time and the switches of a request.
func (b budgetResults) tables(order []string) []report.Table {
	var tables []report.Table
	for _, w := range []string{write, eventual, strong} {
		t := report.Table{Columns: []string{w}}
		rows := map[string][]any{}
		add := func(row string, value string) { rows[row] = append(rows[row], value) }
		for _, n := range budgetConnections() {
			t.Columns = append(t.Columns, fmt.Sprintf("%d conn.", n))
			samples := b[cell{ours, w, n}]
			add("requests a second", fmt.Sprintf("%.0f", middle(samples, func(s budgetSample) float64 { return s.PerSecond })))
			add("p50", fmt.Sprint(middle(samples, func(s budgetSample) time.Duration { return s.P50 })))
			add("failed", fmt.Sprint(middle(samples, func(s budgetSample) int { return s.Failed })))
			add("requests in an entry", fmt.Sprintf("%.1f", middle(samples, func(s budgetSample) float64 { return s.perEntry })))
			for _, part := range order {
				add(part, perRequest{
					time:     middle(samples, func(s budgetSample) time.Duration { return s.used[part].time }),
					switches: middle(samples, func(s budgetSample) float64 { return s.used[part].switches }),
				}.String())
			}
		}
		names := append([]string{"requests a second", "p50", "failed", "requests in an entry"}, order...)
		for _, name := range names {
			t.Add(append([]any{name}, rows[name]...)...)
		}
		tables = append(tables, t)
	}
	return tables
}
