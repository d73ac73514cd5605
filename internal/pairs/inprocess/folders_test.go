package inprocess_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"rideshare/internal/pairs"
	"rideshare/internal/store"
)

// TestLostDatabase: where a pair was, no empty database is made in place of one that is missing.
func TestLostDatabase(t *testing.T) {
	dir := t.TempDir()
	first := mustNew(t, configIn(dir, new(atomic.Int64), nil))
	pair, err := first.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, pair.ID, "data")); err != nil {
		t.Fatal(err)
	}
	p := mustNew(t, configIn(dir, new(atomic.Int64), nil))
	if _, err := p.Start(t.Context(), pair.ID); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Start without a database: %v", err)
	}
	list, err := p.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Unreadable == "" || list[0].Worker.Running {
		t.Errorf("afterwards: %+v, %v", list, err)
	}
	place, err := p.SetAside(t.Context(), pair.ID)
	if err != nil || filepath.Dir(place) != filepath.Join(dir, "damaged") {
		t.Fatalf("set aside in %q, %v", place, err)
	}
	if aside, err := p.Aside(t.Context()); err != nil || len(aside) != 1 || aside[0] != place {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}

// TestLostFolder: what was lost whole leaves a place that says so, unless it was lost while it ran:
// then others have copied it.
func TestLostFolder(t *testing.T) {
	dir := t.TempDir()
	p := mustNew(t, configIn(dir, new(atomic.Int64), nil))
	var ids []string
	for range 2 {
		pair, err := p.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, pair.ID)
		if err := os.RemoveAll(filepath.Join(dir, pair.ID)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Kill(t.Context(), ids[0], pairs.WorkerPart); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), ids[0]); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Start without a folder: %v", err)
	}
	if place, err := p.SetAside(t.Context(), ids[0]); err != nil || place == "" {
		t.Errorf("what was found missing is set aside in %q, %v", place, err)
	}
	if place, err := p.SetAside(t.Context(), ids[1]); err != nil || place != "" {
		t.Errorf("what was lost while it ran is set aside in %q, %v", place, err)
	}
}

// TestCloseSaysWhatIsLost: it is no good order where nothing of the data is left.
func TestCloseSaysWhatIsLost(t *testing.T) {
	dir := t.TempDir()
	p := mustNew(t, configIn(dir, new(atomic.Int64), nil))
	for range 2 {
		if _, err := p.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "p1")); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("one of two is left: %v", err)
	}
	p = mustNew(t, configIn(dir, new(atomic.Int64), nil))
	if _, err := p.Start(t.Context(), "p2"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); !errors.Is(err, store.ErrGone) {
		t.Errorf("none is left: %v", err)
	}
}

// TestUnreadableWhileItRuns: a worker that finds the damage ends, and the pair is not started again.
func TestUnreadableWhileItRuns(t *testing.T) {
	var last *worker
	p := mustNew(t, configIn(t.TempDir(), new(atomic.Int64), func(w *worker) { last = w }))
	events := p.Events(t.Context())
	if _, err := p.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	last.fail <- store.ErrDamaged
	<-events
	if list, err := p.List(t.Context()); err != nil || !strings.Contains(list[0].Unreadable, "cannot be read") {
		t.Errorf("afterwards: %+v, %v", list, err)
	}
}

// TestCutShort: what a Create leaves that was cut short is no pair, and goes.
func TestCutShort(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"new-p3", "damaged/p5-20300101T000000Z"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p := mustNew(t, configIn(dir, new(atomic.Int64), nil))
	if list, err := p.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("pairs %+v, %v", list, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new-p3")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if pair, err := p.Create(t.Context()); err != nil || pair.ID != "p6" {
		t.Errorf("the next one is %s, %v", pair.ID, err)
	}
}
