package replog_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/replog"
	"rideshare/internal/replog/memory"
)

// history appends a genesis, a marker of epoch 2 and n entries, and returns the state after them.
func history(t *testing.T, log replog.Log, n int) replog.State {
	t.Helper()
	s := replog.State{}
	offset := replog.Offset(0)
	add := func(r replog.Record) {
		data := r.Encode()
		if err := log.Append(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		s, _ = replog.Fold(s, &r, offset, replog.HashOf(data))
		offset++
	}
	add(s.NewGenesis("log", "w", 0))
	add(replog.Record{Kind: replog.MarkerKind, Epoch: 2, Worker: "w"})
	for range n {
		add(s.NewEntry())
	}
	return s
}

// collect reads events until the state satisfies done, and returns the last one.
func collect(t *testing.T, f *replog.Follower, done func(replog.Event) bool) replog.Event {
	t.Helper()
	for events := range f.Events() {
		for _, e := range events {
			if done(e) {
				return e
			}
		}
	}
	t.Fatalf("the follower ended: %v", f.Err())
	return replog.Event{}
}

func at(seq uint64) func(replog.Event) bool {
	return func(e replog.Event) bool { return e.State.Seq == seq }
}

func TestFollowerGoesOnFromAStoredState(t *testing.T) {
	log := memory.New(memory.Options{}).Connect()
	want := history(t, log, 5)
	all := replog.Follow(t.Context(), log, replog.State{}, 0)
	defer all.Close()
	var states []replog.State
	if end := collect(t, all, func(e replog.Event) bool {
		states = append(states, e.State)
		return e.State.Seq == 5
	}); end.State != want {
		t.Errorf("read from the beginning: %+v, want %+v", end.State, want)
	}
	for _, from := range states[:len(states)-1] {
		f := replog.Follow(t.Context(), log, from, 0)
		if end := collect(t, f, at(5)); end.State != want {
			t.Errorf("from %+v: %+v", from, end.State)
		}
		f.Close()
	}
}

func TestFollowerRefusesAnotherHistory(t *testing.T) {
	log := memory.New(memory.Options{}).Connect()
	history(t, log, 5)
	for name, from := range map[string]replog.State{
		"ahead of the log":     {LogID: "other", Epoch: 2, Seq: 9, Hash: hash("x"), Offset: 40},
		"another record there": {LogID: "log", Epoch: 2, Seq: 2, Hash: hash("x"), Offset: 3},
	} {
		f := replog.Follow(t.Context(), log, from, 0)
		lost := false
		for events := range f.Events() {
			for _, e := range events {
				lost = lost || e.Lost()
			}
		}
		if !errors.Is(f.Err(), replog.ErrForeign) || !lost {
			t.Errorf("%s: %v, lost %v", name, f.Err(), lost)
		}
	}
}

func TestFollowerStopsAtABrokenChain(t *testing.T) {
	log := memory.New(memory.Options{}).Connect()
	s := history(t, log, 2)
	s.Hash = hash("forged")
	forged := s.NewEntry()
	if err := log.Append(t.Context(), forged.Encode()); err != nil {
		t.Fatal(err)
	}
	f := replog.Follow(t.Context(), log, replog.State{}, 0)
	defer f.Close()
	last := uint64(0)
	for events := range f.Events() {
		last = events[len(events)-1].State.Seq
	}
	if !errors.Is(f.Err(), replog.ErrCorrupt) || last != 2 {
		t.Errorf("it ends after entry %d with %v", last, f.Err())
	}
}

func TestFollowerSkipsWhatItCannotRead(t *testing.T) {
	log := memory.New(memory.Options{}).Connect()
	s := history(t, log, 1)
	for _, garbage := range []string{"", "{", "[]", `{"kind":7}`, `{"kind":"entry","epoch":2,"seq":2,"txs":[{"ops":[{"insert":"no such table"}]}]}`} {
		if err := log.Append(t.Context(), []byte(garbage)); err != nil {
			t.Fatal(err)
		}
	}
	next := s.NewEntry()
	if err := log.Append(t.Context(), next.Encode()); err != nil {
		t.Fatal(err)
	}
	f := replog.Follow(t.Context(), log, replog.State{}, 0)
	defer f.Close()
	collect(t, f, at(2))
}

// The log goes away for a minute: the follower tries again, ever less often, and goes on.
func TestFollowerWaitsForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.New(memory.Options{})
		log := server.Connect()
		counted := &countingLog{Log: log}
		s := history(t, log, 1)
		f := replog.Follow(t.Context(), counted, replog.State{}, 0)
		defer f.Close()
		collect(t, f, at(1))
		server.SetAvailable(false)
		counted.opens.Store(0)
		time.Sleep(time.Minute)
		synctest.Wait()
		// 50 ms, growing to 1 s: some 65 tries, with jitter.
		if n := counted.opens.Load(); n < 40 || n > 130 {
			t.Errorf("%d tries in a minute", n)
		}
		server.SetAvailable(true)
		next := s.NewEntry()
		if err := log.Append(t.Context(), next.Encode()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		collect(t, f, at(2))
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("it took %v to go on", took)
		}
	})
}

// countingLog counts attachments.
type countingLog struct {
	replog.Log
	opens atomic.Int64
}

func (l *countingLog) Open(ctx context.Context, from replog.Offset) (replog.Reader, error) {
	l.opens.Add(1)
	return l.Log.Open(ctx, from)
}

func TestHashText(t *testing.T) {
	h := hash("x")
	text, err := h.MarshalText()
	var back replog.Hash
	if err != nil || back.UnmarshalText(text) != nil || back != h {
		t.Errorf("%s became %s", h, back)
	}
	for _, bad := range []string{"", "00", fmt.Sprint(h) + "00", "zz" + fmt.Sprint(h)[2:]} {
		if back.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is a hash", bad)
		}
	}
}
