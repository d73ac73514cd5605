package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
)

// idleTime is how long the cost of idle systems is measured.
const idleTime = 5 * time.Second

// field is all that is compared.
type field struct {
	systems []*system
	ours    *containers
	single  *system
	group   *replicationGroup
}

// compare measures all systems in turns.
func compare(ctx context.Context, o options, g *generator, s *stack.Stack) (err error) {
	l, err := newLab(ctx, o.root)
	if l != nil {
		defer func() { err = errors.Join(err, l.remove()) }()
	}
	if err != nil {
		return err
	}
	f, end, err := startAll(ctx, l, s)
	defer func() { err = errors.Join(err, end()) }()
	if err != nil {
		return err
	}
	idle, err := idleCost(ctx, idleTime)
	if err != nil {
		return err
	}
	say("all are up; idle they take %.0f %% of the processors", idle)
	before, err := readProcessors()
	if err != nil {
		return err
	}
	r, err := f.rounds(ctx, o, g)
	if err != nil {
		return err
	}
	after, err := readProcessors()
	if err != nil {
		return err
	}
	busy, stolen := after.since(before)
	systems, err := f.divide(ctx, l)
	if err != nil {
		return err
	}
	used, err := f.usages(ctx, o, g, systems)
	if err != nil {
		return err
	}
	budgets, err := f.ours.budgets(ctx, o, 1, g)
	if err != nil {
		return err
	}
	budgetTables, err := budgets.report(ctx, f.ours, o, 1)
	if err != nil {
		return err
	}
	times, err := f.outages(ctx, o.kills)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("Medians of %d rounds of %v after %v of warm-up. During the rounds the processors were busy for %.0f %% of the time, "+
		"and away for %.0f %% (steal); with everything up and idle they were busy for %.0f %%.", o.rounds, o.measured, o.warmUp, busy, stolen, idle)
	m := measured{r, times, used.of(total)}
	return errors.Join(f.publish(o, m, append([]report.Table{used.table(systems)}, budgetTables...), note), budgets.failed())
}

// startAll starts all systems, with the first rides. end ends what is not a container; it is never nil.
func startAll(ctx context.Context, l *lab, s *stack.Stack) (f *field, end func() error, err error) {
	f, end = &field{}, func() error { return nil }
	say("starting %s ...", ours)
	if f.ours, err = startContainers(ctx, s); err != nil {
		return nil, end, err
	}
	say("starting %s ...", oneProcess)
	one, end, err := startOneProcess(ctx, l.root)
	if err != nil {
		return nil, end, err
	}
	say("starting %s ...", plain)
	if f.single, err = startPlain(ctx, l); err != nil {
		return nil, end, err
	}
	say("starting %s ...", group)
	if f.group, err = startGroup(ctx, l); err != nil {
		return nil, end, err
	}
	f.systems = []*system{f.ours.system, f.single, f.group.system, one}
	for _, system := range f.systems {
		if err := system.seed(ctx); err != nil {
			return nil, end, err
		}
	}
	return f, end, nil
}

// rounds measures all cells so many times. The systems take turns at every single measurement, so that what
// the machine does meanwhile is the same for all of them.
func (f *field) rounds(ctx context.Context, o options, g *generator) (results, error) {
	r := results{}
	for round := range o.rounds {
		for _, w := range workloads() {
			for _, n := range connections(w.name) {
				for i := range f.systems {
					s := f.systems[(i+round)%len(f.systems)] // each of them is first once
					if w.levelled && !s.levels {
						continue
					}
					m, err := g.run(ctx, s, w, n, o.warmUp, o.measured)
					if err != nil {
						return nil, fmt.Errorf("%s: %w", s.name, err)
					}
					c := cell{s.name, w.name, n}
					r[c] = append(r[c], m)
					say("round %d of %d: %s: %.0f a second, p50 %v, p99 %v, %d failed", round+1, o.rounds, c, m.PerSecond, m.P50, m.P99, m.Failed)
				}
			}
		}
	}
	return r, nil
}

// outages kills primaries.
func (f *field) outages(ctx context.Context, kills int) (outages, error) {
	o := outages{}
	for range kills {
		for name, s := range map[string]replicated{ours: f.ours, group: f.group} {
			took, failed, err := outage(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			say("%s: no write for %v after a kill, %d requests failed", name, took.Round(time.Millisecond), failed)
			of := o[name]
			of.times, of.failed = append(of.times, took), of.failed+failed
			o[name] = of
		}
	}
	return o, nil
}

// publish prints the tables, and writes them and the pictures into the documentation where that is
// asked for.
func (f *field) publish(o options, m measured, costs []report.Table, note string) error {
	var names []string
	for _, s := range f.systems {
		names = append(names, s.name)
	}
	tables := []report.Table{goalTable(m), figures(m.results, names), outageTable(m.outages, ours, group)}
	tables[1].Note = note
	tables = append(tables, costs...)
	for _, t := range tables {
		fmt.Println(t.Markdown())
	}
	failed := m.printFailures(os.Stderr)
	if o.publish {
		docs := filepath.Join(o.root, "docs")
		if err := drawAll(m.results, names, filepath.Join(docs, "pictures")); err != nil {
			return err
		}
		if err := report.Update(filepath.Join(docs, "measurements.md"), "bench", "make bench", tables...); err != nil {
			return err
		}
	}
	if failed {
		return errors.New("requests have failed: see above")
	}
	return nil
}
