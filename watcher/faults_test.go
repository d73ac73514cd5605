package watcher

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
	"rideshare/internal/store"
)

// lines is what the watcher has logged at the level that is shown.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// has reports whether one line has all of the texts.
func (l *lines) has(texts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		found := true
		for _, text := range texts {
			found = found && strings.Contains(line, text)
		}
		if found {
			return true
		}
	}
	return false
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// A death, and a start in vain, name their cause in the log, in the recoveries and in the topology.
func TestDeathsNameTheirCause(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		const cause = "exited with 1: no connection"
		w.machine.mu.Lock()
		w.machine.known, w.machine.fault, w.machine.failing = "exited with 1", cause, true
		w.machine.mu.Unlock()
		if err := w.machine.Kill(t.Context(), "p2", pairs.WorkerPart); err != nil {
			t.Fatal(err)
		}
		w.settle(100 * time.Millisecond)
		if !w.lines.has("died", "worker=p2.1", "exited with 1") || !w.lines.has("cause of death", "worker=p2.1", cause) {
			t.Errorf("logged: %s", &w.lines.all)
		}
		w.settle(2 * time.Second)
		want := cluster.PairFault{Pair: "p2", Why: "start failed: the machine is full"}
		if got := w.ask(cluster.Command{Topology: true}).Topology.Faults; len(got) != 1 || got[0] != want {
			t.Errorf("faults %+v, want %+v", got, want)
		}
		if !w.lines.has("action failed", "pair=p2", "the machine is full") {
			t.Errorf("logged: %s", &w.lines.all)
		}
		w.machine.mu.Lock()
		w.machine.failing = false
		w.machine.mu.Unlock()
		w.settle(time.Minute)
		topology := w.ask(cluster.Command{Topology: true}).Topology
		if len(topology.Faults) != 0 {
			t.Errorf("faults of what serves: %+v", topology.Faults)
		}
		if r := topology.Recoveries; len(r) != 1 || r[0].Why != "p2.1: worker died: "+cause {
			t.Errorf("recoveries %+v", r)
		}
	})
}

// A pair that could not be created is no fault any more when it is not wanted any more.
func TestAFailedCreateIsForgotten(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		w.machine.mu.Lock()
		w.machine.failing = true
		w.machine.mu.Unlock()
		slaves := func(n int, faults int) {
			t.Helper()
			w.ask(cluster.Command{Scale: &cluster.ScaleCommand{Count: n}})
			w.settle(time.Minute)
			if got := w.ask(cluster.Command{Topology: true}).Topology.Faults; len(got) != faults {
				t.Errorf("%d slaves are wanted: faults %+v", n, got)
			}
		}
		slaves(3, 1)
		slaves(2, 0)
	})
}

// A pair that cannot be started because there is no room is not given up: it may have the newest data.
func TestAFullDiskIsNoReasonToGiveAPairUp(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		w.machine.mu.Lock()
		w.machine.failure = fmt.Errorf("the database of p2: %w", store.ErrFull)
		w.machine.mu.Unlock()
		if err := w.machine.Kill(t.Context(), "p2", pairs.WorkerPart); err != nil {
			t.Fatal(err)
		}
		w.settle(5 * time.Minute)
		faults := w.ask(cluster.Command{Topology: true}).Topology.Faults
		if len(faults) != 1 || faults[0].Pair != "p2" || !strings.Contains(faults[0].Why, "the disk is full") {
			t.Errorf("faults %+v", faults)
		}
		w.machine.mu.Lock()
		w.machine.failure = nil
		w.machine.mu.Unlock()
		w.settle(time.Minute)
		w.want("p1.1", "p2.2", "p3.1")
	})
}
