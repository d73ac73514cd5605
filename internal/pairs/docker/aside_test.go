package docker

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"rideshare/internal/pairs"
)

// TestEmptiedVolume: no new database begins on the volume of a pair that has run, when what was in it is
// gone.
func TestEmptiedVolume(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	p := w.open()
	pair := w.create(p)
	w.ok(p.Kill(t.Context(), pair.ID, pairs.WorkerPart))
	f, err := p.look(t.Context(), pair.ID)
	w.ok(err)
	w.ok(p.remove(t.Context(), f.database.ID))
	w.ok(p.removeVolume(t.Context(), w.config.volumeName(pair.ID)))
	for range 2 { // also when the first attempt has made the volume anew
		p = w.open()
		if _, err := p.Start(t.Context(), pair.ID); !errors.Is(err, errEmptied) || !strings.Contains(err.Error(), w.config.volumeName(pair.ID)) {
			t.Fatalf("Start on an empty volume: %v", err)
		}
	}
	list, err := p.List(t.Context())
	w.ok(err)
	if len(list) != 1 || list[0].Unreadable == "" || list[0].Worker.Running {
		t.Errorf("listed: %+v", list)
	}
	_, err = p.SetAside(t.Context(), pair.ID)
	w.ok(err)
	w.ok(p.removeVolume(t.Context(), w.config.keptName(pair.ID))) // its operator has put the data back
	list, err = p.List(t.Context())
	w.ok(err)
	if len(list) != 1 || list[0].Unreadable != "" {
		t.Errorf("listed, when it is to be tried again: %+v", list)
	}
}

// TestSetAsideKeeps: the volume stays as it is, whatever the watcher does, until an operator takes it away
// or lets it be tried again.
func TestSetAsideKeeps(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	p := w.open()
	pair := w.create(p)
	place, err := p.SetAside(t.Context(), pair.ID)
	w.ok(err)
	if place != w.config.volumeName(pair.ID) {
		t.Errorf("the place is %s", place)
	}
	containers, err := p.containers(t.Context(), "")
	w.ok(err)
	if len(containers) > 0 {
		t.Errorf("%d containers are left", len(containers))
	}
	w.ok(p.Remove(t.Context(), pair.ID))
	w.ok(p.Remove(t.Context(), w.create(p).ID))

	w.ok(p.removeVolume(t.Context(), w.config.keptName(pair.ID)))
	if aside, err := p.Aside(t.Context()); err != nil || len(aside) > 0 {
		t.Errorf("set aside: %v, %v", aside, err)
	}
	list, err := p.List(t.Context())
	w.ok(err)
	if !slices.ContainsFunc(list, func(p pairs.Pair) bool { return p.ID == pair.ID }) {
		t.Fatalf("listed: %+v", list)
	}
	again, err := p.Start(t.Context(), pair.ID)
	w.ok(err)
	if again.Worker.ID != "p1.2" { // the volume knows that there was a p1.1
		t.Errorf("started again: %+v", again)
	}
}

func TestFailed(t *testing.T) {
	for name, test := range map[string]struct {
		state container.State
		want  bool
	}{
		"ended":               {container.State{}, false},
		"killed":              {container.State{ExitCode: 137}, false},
		"told to end":         {container.State{ExitCode: 143}, false},
		"out of memory":       {container.State{ExitCode: 1, OOMKilled: true}, false},
		"the engine ended":    {container.State{ExitCode: 255}, false},
		"was not started":     {container.State{ExitCode: 127, Error: "no such program"}, false},
		"ended with an error": {container.State{ExitCode: 1}, true},
		"aborted":             {container.State{ExitCode: 134}, true},
	} {
		if got := failed(&test.state); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
