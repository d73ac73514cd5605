// Package pairstest is the conformance suite of pairs.Pairs.
package pairstest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rideshare/internal/pairs"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// Factory makes pairs whose workers run until they are ended. Calling it again in one test gives
// what a restarted watcher sees.
type Factory func(t *testing.T) pairs.Pairs

// Features are the honest differences between implementations.
type Features struct {
	// Outlive: pairs outlive the process that has started them.
	Outlive bool
}

// Run runs the suite. Each test gets a Factory of its own, with no pair yet.
func Run(t *testing.T, f Features, world func(t *testing.T) Factory) {
	tests := map[string]func(*testing.T, Features, Factory){
		"create":                        create,
		"ids are never used again":      idsAreNew,
		"kill a worker":                 killWorker,
		"kill a database":               killDatabase,
		"start what does not run":       start,
		"remove":                        remove,
		"set aside":                     setAside,
		"a restarted watcher adopts":    adopt,
		"events end with their context": eventsEnd,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, f, world(t)) })
	}
}

func mustCreate(t *testing.T, p pairs.Pairs) pairs.Pair {
	t.Helper()
	pair, err := p.Create(t.Context())
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return pair
}

func find(t *testing.T, p pairs.Pairs, id string) (pairs.Pair, bool) {
	t.Helper()
	list, err := p.List(t.Context())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	for _, pair := range list {
		if pair.ID == id {
			return pair, true
		}
	}
	return pairs.Pair{}, false
}

func receive(t *testing.T, events <-chan pairs.Event) pairs.Event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(patience):
		t.Fatal("no event")
		return pairs.Event{}
	}
}

func create(t *testing.T, _ Features, world Factory) {
	p := world(t)
	a, b := mustCreate(t, p), mustCreate(t, p)
	if a.ID == b.ID || a.Worker.ID == b.Worker.ID || a.Worker.PID == b.Worker.PID {
		t.Errorf("two pairs share an id or a process id: %+v, %+v", a, b)
	}
	list, err := p.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("List: %d pairs, %v", len(list), err)
	}
	for _, pair := range list {
		if !pair.Worker.Running || !pair.Database.Running || pair.Worker.PID == 0 || pair.Worker.ID == "" {
			t.Errorf("a new pair does not run: %+v", pair)
		}
	}
}

func idsAreNew(t *testing.T, _ Features, world Factory) {
	p := world(t)
	var ids []string
	for range 3 {
		pair := mustCreate(t, p)
		if slices.Contains(ids, pair.ID) {
			t.Errorf("the id %s is used again", pair.ID)
		}
		ids = append(ids, pair.ID)
	}
	if err := p.Remove(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if pair := mustCreate(t, p); slices.Contains(ids, pair.ID) {
		t.Errorf("the id %s is used again", pair.ID)
	}
}

func killWorker(t *testing.T, _ Features, world Factory) {
	p := world(t)
	events := p.Events(t.Context())
	pair := mustCreate(t, p)
	if err := p.Kill(t.Context(), pair.ID, pairs.WorkerPart); err != nil {
		t.Fatalf("Kill: %v", err)
	}
	want := pairs.Event{Pair: pair.ID, Part: pairs.WorkerPart, Worker: pair.Worker.ID, Why: "killed"}
	if e := receive(t, events); e != want {
		t.Errorf("event %+v, want %+v", e, want)
	}
	got, _ := find(t, p, pair.ID)
	if got.Worker.Running || got.Worker.PID != 0 || got.Worker.Fault == "" || !got.Database.Running {
		t.Errorf("after its worker was killed: %+v", got)
	}
	if err := p.Kill(t.Context(), pair.ID, pairs.WorkerPart); !errors.Is(err, pairs.ErrNotFound) {
		t.Errorf("Kill of a dead worker: %v", err)
	}
	if err := p.Kill(t.Context(), "p999", pairs.WorkerPart); !errors.Is(err, pairs.ErrNotFound) {
		t.Errorf("Kill in no pair: %v", err)
	}
}

func killDatabase(t *testing.T, _ Features, world Factory) {
	p := world(t)
	events := p.Events(t.Context())
	pair := mustCreate(t, p)
	if err := p.Kill(t.Context(), pair.ID, pairs.DatabasePart); err != nil {
		t.Fatalf("Kill: %v", err)
	}
	for e := receive(t, events); e.Part != pairs.DatabasePart; e = receive(t, events) {
		if e.Pair != pair.ID {
			t.Errorf("an event of another pair: %+v", e)
		}
	}
	if got, ok := find(t, p, pair.ID); !ok || got.Database.Running {
		t.Errorf("after its database was killed: %v, %+v", ok, got)
	}
}

func start(t *testing.T, _ Features, world Factory) {
	p := world(t)
	pair := mustCreate(t, p)
	if _, err := p.Start(t.Context(), pair.ID); !errors.Is(err, pairs.ErrExists) {
		t.Errorf("Start of what runs: %v", err)
	}
	if _, err := p.Start(t.Context(), "p999"); !errors.Is(err, pairs.ErrNotFound) {
		t.Errorf("Start of no pair: %v", err)
	}
	used := []string{pair.Worker.ID}
	for _, part := range []pairs.Part{pairs.WorkerPart, pairs.DatabasePart, pairs.WorkerPart} {
		if err := p.Kill(t.Context(), pair.ID, part); err != nil {
			t.Fatalf("Kill: %v", err)
		}
		again, err := p.Start(t.Context(), pair.ID)
		if err != nil {
			t.Fatalf("Start after the death of its %s: %v", part, err)
		}
		if !again.Worker.Running || !again.Database.Running || slices.Contains(used, again.Worker.ID) {
			t.Errorf("started again: %+v, after the workers %v", again, used)
		}
		used = append(used, again.Worker.ID)
	}
}

func remove(t *testing.T, _ Features, world Factory) {
	p := world(t)
	pair := mustCreate(t, p)
	for range 2 { // the second time it is gone, which is no error
		if err := p.Remove(t.Context(), pair.ID); err != nil {
			t.Fatalf("Remove: %v", err)
		}
	}
	if _, ok := find(t, p, pair.ID); ok {
		t.Error("it is still there")
	}
	if _, ok := find(t, world(t), pair.ID); ok {
		t.Error("a restarted watcher still sees it")
	}
}

func setAside(t *testing.T, _ Features, world Factory) {
	p := world(t)
	if aside, err := p.Aside(t.Context()); err != nil || len(aside) != 0 {
		t.Errorf("set aside before anything was: %v, %v", aside, err)
	}
	first, last := mustCreate(t, p), mustCreate(t, p)
	events := p.Events(t.Context())
	var places []string
	for _, pair := range []pairs.Pair{last, first} { // the last one: its id is not used again either
		place, err := p.SetAside(t.Context(), pair.ID)
		if err != nil || place == "" || slices.Contains(places, place) {
			t.Fatalf("SetAside: %q after %v, %v", place, places, err)
		}
		places = append(places, place)
		if err := p.Remove(t.Context(), pair.ID); err != nil {
			t.Fatalf("Remove of what was set aside: %v", err)
		}
		if place, err := p.SetAside(t.Context(), pair.ID); err != nil || place != "" {
			t.Errorf("SetAside of no pair: %q, %v", place, err)
		}
	}
	slices.Sort(places)
	for who, p := range map[string]pairs.Pairs{"this": p, "a restarted": world(t)} {
		aside, err := p.Aside(t.Context())
		if err != nil || !slices.Equal(aside, places) {
			t.Errorf("%s watcher sees %v, %v; want %v", who, aside, err, places)
		}
		if list, err := p.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%s watcher sees the pairs %+v, %v", who, list, err)
		}
	}
	if pair := mustCreate(t, world(t)); pair.ID == first.ID || pair.ID == last.ID {
		t.Errorf("the id %s is used again", pair.ID)
	}
	select {
	case e := <-events:
		t.Errorf("setting aside is no death: %+v", e)
	default:
	}
}

func adopt(t *testing.T, f Features, world Factory) {
	first := world(t)
	pair := mustCreate(t, first)
	if err := first.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	second := world(t)
	got, ok := find(t, second, pair.ID)
	if !ok || got.Worker.Running != f.Outlive {
		t.Fatalf("adopted: %v, %+v", ok, got)
	}
	if !f.Outlive {
		if _, err := second.Start(t.Context(), pair.ID); err != nil {
			t.Fatalf("Start on the data of an earlier process: %v", err)
		}
	}
	if other := mustCreate(t, second); other.ID == pair.ID {
		t.Errorf("the id %s is used again", other.ID)
	}
}

func eventsEnd(t *testing.T, _ Features, world Factory) {
	ctx, cancel := context.WithCancel(t.Context())
	events := world(t).Events(ctx)
	cancel()
	select {
	case _, open := <-events:
		if open {
			t.Error("an event of nothing")
		}
	case <-time.After(patience):
		t.Error("the channel stays open")
	}
}
