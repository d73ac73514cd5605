package replog_test

import (
	"cmp"
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

// The log loses its end, and a replica that has what was lost looks for its place in what is left.
func TestFollowerOfALogThatHasLostItsEnd(t *testing.T) {
	const entries, lost = 5, 2
	for name, test := range map[string]struct {
		keeps int // bytes of the log; 0: all
		again int // the entry after which it begins again; 0: it does not
		want  error
	}{
		"it begins again where the replica ends":      {again: entries},
		"it begins again elsewhere":                   {again: entries - 1, want: replog.ErrForeign},
		"an entry comes in the place of one that was": {},
		"its beginning is gone, too":                  {again: entries, keeps: 500},
	} {
		t.Run(name, func(t *testing.T) {
			server := memory.New(memory.Options{MaxBytes: test.keeps})
			log := server.Connect()
			all := []replog.State{history(t, log, 0)}
			for range entries {
				s := all[len(all)-1]
				next := s.NewEntry()
				data := next.Encode()
				if err := log.Append(t.Context(), data); err != nil {
					t.Fatal(err)
				}
				s, _ = replog.Fold(s, &next, replog.Offset(len(all)+1), replog.HashOf(data))
				all = append(all, s)
			}
			server.Shorten(lost)
			oldest, err := log.Open(t.Context(), replog.Oldest)
			if err != nil {
				t.Fatal(err)
			}
			if raws, err := oldest.Next(t.Context()); err != nil || (raws[0].Offset > 0) != (test.keeps > 0) {
				t.Fatalf("the log begins at %d: %v", raws[0].Offset, err)
			}
			f := replog.Follow(t.Context(), log, all[entries], 0)
			defer f.Close()
			collect(t, f, replog.Event.Lost)
			added := all[entries-lost].NewEntry()
			if test.again > 0 {
				from := all[test.again]
				from.LogID, from.Left, from.Beyond = "", from.LogID, true
				added = from.NewGenesis("other", "w", 0)
			}
			barrier := replog.Record{Kind: replog.BarrierKind, Nonce: "the end"}
			for _, r := range []replog.Record{barrier, added, barrier} {
				if err := log.Append(t.Context(), r.Encode()); err != nil {
					t.Fatal(err)
				}
			}
			passed := 0
			for events := range f.Events() {
				for _, e := range events {
					if e.Verdict != replog.Passed {
						continue
					}
					if again := test.again > 0 && passed > 0; again != (e.State.LogID == "log") || again == e.State.Beyond {
						t.Errorf("at barrier %d: %+v", passed, e.State)
					}
					passed++
				}
				if passed == 2 {
					f.Close()
				}
			}
			if want := cmp.Or(test.want, context.Canceled); !errors.Is(f.Err(), want) {
				t.Errorf("it ends with %v after %d barriers, not with %v", f.Err(), passed, want)
			}
		})
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
