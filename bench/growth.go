package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
	"rideshare/internal/db"
)

const (
	growthConnections = 16
	growthWanted      = 0.8              // of the rate with the fewest rides; more is welcome
	newSlaveWanted    = 60 * time.Second // with the most rides
	batches           = 4                // that are written at a time
)

// grown is what was measured with so many rides.
type grown struct {
	rides   int
	results results
	backup  operation
}

// growth measures requests and backups with more and more rides, then how long a new slave takes, and
// at last the way back from the largest backup.
func growth(ctx context.Context, o options, g *generator, s *stack.Stack) error {
	say("starting %s ...", ours)
	c, err := startContainers(ctx, s)
	if err != nil {
		return err
	}
	if err := c.seed(ctx); err != nil {
		return err
	}
	before, err := readProcessors()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Join(o.root, "bin"), "bench-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is a temporary folder
	file := filepath.Join(folder, "rides.backup")
	var all []grown
	for _, rides := range []int{ridesFirst, min(100*ridesFirst, o.most), o.most} {
		if err := c.fill(ctx, rides); err != nil {
			return err
		}
		m := grown{rides: rides, results: results{}}
		if err := m.measure(ctx, o, g, c.system); err != nil {
			return err
		}
		if m.backup, err = c.rideshare(ctx, "backup", "--force", file); err != nil {
			return err
		}
		say("%d rides: a backup took %v and %d MB", rides, m.backup.took, m.backup.memory>>20)
		all = append(all, m)
	}
	took, err := c.addSlave(ctx)
	if err != nil {
		return err
	}
	back, err := c.restore(ctx, file, all[len(all)-1].backup)
	if err != nil {
		return err
	}
	after, err := readProcessors()
	if err != nil {
		return err
	}
	_, stolen := after.since(before)
	note := fmt.Sprintf("Medians of %d measurements of %v each, at %d connections. Reads are of all rides; the list has %d. Writes come last with each number of rides, "+
		"and add theirs. The processors were away for %.0f %% of the time (steal).", o.rounds, o.measured, growthConnections, listed, stolen)
	t := growthTable(all, took)
	copyRows(&t, all, back)
	t.Note = note
	return publishGrowth(o, all, t)
}

// fill adds rides until there are so many, in batches. Of those of the route that is listed it adds none.
func (c *containers) fill(ctx context.Context, rides int) error {
	say("adding rides until there are %d ...", rides)
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(batches)
	for first := len(c.rides); first < rides; first += db.MaxOps {
		g.Go(func() error {
			var ops []db.Op
			for n := first; n < min(first+db.MaxOps, rides); n++ {
				ops = append(ops, db.Op{Insert: "rides", Values: map[string]any{
					"ride_id": db.Next("rides"), "created_by": user, "source": 1 + n%(areas-3), "destination": 2 + n/(areas-3)%(areas-3),
					"departs_at": time.Date(2090, 1, 1, 0, 0, n, 0, time.UTC).Format(time.RFC3339),
				}})
			}
			result, err := c.target.Write(ctx, ops...)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range result.Results {
				c.rides = append(c.rides, db.Row(r.Values).Int("ride_id"))
			}
			return nil
		})
	}
	return g.Wait()
}

// measure measures reads and lists, and at last writes, which add rides.
func (m *grown) measure(ctx context.Context, o options, g *generator, s *system) error {
	w := workloads()
	for _, w := range []workload{w[1], w[4], w[0]} {
		for range o.rounds {
			measured, err := g.run(ctx, s, w, growthConnections, o.warmUp, o.measured)
			if err != nil {
				return err
			}
			say("%d rides: %s: %.0f a second, p50 %v, %d failed", m.rides, w.name, measured.PerSecond, measured.P50, measured.Failed)
			at := cell{s.name, w.name, growthConnections}
			m.results[at] = append(m.results[at], measured)
		}
	}
	return nil
}

// addSlave measures from the command until one slave more serves.
func (c *containers) addSlave(ctx context.Context) (time.Duration, error) {
	t, err := c.topology(ctx)
	if err != nil {
		return 0, err
	}
	say("adding a slave ...")
	begun := time.Now()
	if _, err := c.target.Must(ctx, http.StatusOK, http.MethodPut, "/cluster/slaves", map[string]any{"count": t.Desired.Slaves + 1}); err != nil {
		return 0, err
	}
	err = c.whole(ctx, "")
	return time.Since(begun), err
}

// growthTable compares each number of rides with the fewest.
func growthTable(all []grown, newSlave time.Duration) report.Table {
	t := report.Table{Columns: []string{"what", "wanted"}}
	for _, m := range all {
		t.Columns = append(t.Columns, fmt.Sprintf("%d rides", m.rides))
	}
	t.Columns = append(t.Columns, "")
	for _, name := range []string{write, eventual, upcoming} {
		row := []any{name + ": a second, p50", fmt.Sprintf("at least %g of the first", growthWanted)}
		least := 1.0
		valid := true
		first, _ := all[0].results.median(cell{ours, name, growthConnections})
		for _, m := range all {
			s, ok := m.results.median(cell{ours, name, growthConnections})
			valid = valid && ok
			ratio := quotient(s.PerSecond, first.PerSecond)
			least = min(least, ratio)
			row = append(row, fmt.Sprintf("%.0f (%.2f), %v", s.PerSecond, ratio, s.P50))
		}
		t.Add(append(row, verdict(valid, least >= growthWanted))...)
	}
	row := append([]any{"from the command until a new slave serves", "at most " + newSlaveWanted.String()}, slices.Repeat([]any{""}, len(all)-1)...)
	t.Add(append(row, newSlave, verdict(true, newSlave <= newSlaveWanted))...)
	return t
}

func publishGrowth(o options, all []grown, t report.Table) error {
	fmt.Println(t.Markdown())
	failed := false
	for _, m := range all {
		failed = m.results.printFailures(os.Stderr) || failed
	}
	if failed {
		return errors.New("requests have failed: see above")
	}
	if !o.publish {
		return nil
	}
	return report.Update(filepath.Join(o.root, "docs", "measurements.md"), "bench-growth", "make bench-growth", t)
}
