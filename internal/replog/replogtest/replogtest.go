// Package replogtest is the conformance suite of replog.Log.
package replogtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rideshare/internal/replog"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// Server is one log that tests connect to.
type Server interface {
	Connect(t *testing.T) replog.Log
}

// Features are the honest differences between implementations.
type Features struct {
	// TellsLost: Open itself returns ErrLost for an offset beyond the end.
	TellsLost bool
}

// Run runs the suite. Each test gets a new and empty log from start.
func Run(t *testing.T, f Features, start func(t *testing.T) Server) {
	tests := map[string]func(*testing.T, Features, Server){
		"read what was appended, in order":   readInOrder,
		"offsets begin at 0 and grow":        offsetsGrow,
		"attach inclusively":                 attachInclusively,
		"many readers see the same":          manyReaders,
		"concurrent appends are all kept":    concurrentAppends,
		"a reader waits for the next record": readerWaits,
		"a context ends a wait":              contextEndsWait,
		"closing ends readers and appends":   closeEnds,
		"an offset beyond the end":           beyondEnd,
		"a large record":                     largeRecord,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, f, start(t)) })
	}
}

func appendTo(t *testing.T, log replog.Log, records ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, r := range records {
		if err := log.Append(ctx, []byte(r)); err != nil {
			t.Errorf("Append(%.20q): %v", r, err)
			return
		}
	}
}

func read(t *testing.T, log replog.Log, from replog.Offset, n int) []replog.Raw {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reader, err := log.Open(ctx, from)
	if err != nil {
		t.Errorf("Open(%d): %v", from, err)
		return nil
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	return next(t, ctx, reader, n)
}

func next(t *testing.T, ctx context.Context, reader replog.Reader, n int) []replog.Raw {
	t.Helper()
	var raws []replog.Raw
	for len(raws) < n {
		more, err := reader.Next(ctx)
		if err != nil {
			t.Errorf("Next after %d of %d records: %v", len(raws), n, err)
			return raws
		}
		raws = append(raws, more...)
	}
	return raws
}

func wantData(t *testing.T, raws []replog.Raw, want ...string) {
	t.Helper()
	for i, w := range want {
		if i >= len(raws) || string(raws[i].Data) != w {
			t.Errorf("record %d is not %.20q: %d records", i, w, len(raws))
			return
		}
	}
}

func readInOrder(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	appendTo(t, log, "a", "b", "c")
	wantData(t, read(t, s.Connect(t), replog.Oldest, 3), "a", "b", "c")
}

func offsetsGrow(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	appendTo(t, log, "a", "b", "c", "d")
	raws := read(t, log, replog.Oldest, 4)
	if raws[0].Offset != 0 {
		t.Errorf("the first record is at %d", raws[0].Offset)
	}
	for i := 1; i < len(raws); i++ {
		if raws[i].Offset <= raws[i-1].Offset {
			t.Errorf("record %d is at %d, after %d", i, raws[i].Offset, raws[i-1].Offset)
		}
	}
}

func attachInclusively(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	appendTo(t, log, "a", "b", "c", "d")
	all := read(t, log, replog.Oldest, 4)
	for i, raw := range all {
		got := read(t, log, raw.Offset, 4-i)
		if got[0].Offset != raw.Offset || string(got[0].Data) != string(raw.Data) {
			t.Errorf("attached at %d, the first record is %q at %d", raw.Offset, got[0].Data, got[0].Offset)
		}
	}
}

func manyReaders(t *testing.T, _ Features, s Server) {
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprint("record ", i))
	}
	var readers sync.WaitGroup
	for range 4 {
		log := s.Connect(t)
		readers.Go(func() { wantData(t, read(t, log, replog.Oldest, len(want)), want...) })
	}
	appendTo(t, s.Connect(t), want...)
	readers.Wait()
}

func concurrentAppends(t *testing.T, _ Features, s Server) {
	var writers sync.WaitGroup
	for w := range 8 {
		log := s.Connect(t)
		writers.Go(func() {
			for i := range 50 {
				appendTo(t, log, fmt.Sprint(w, " ", i))
			}
		})
	}
	writers.Wait()
	last := map[int]int{}
	for _, raw := range read(t, s.Connect(t), replog.Oldest, 400) {
		var w, i int
		if _, err := fmt.Sscan(string(raw.Data), &w, &i); err != nil {
			t.Fatal(err)
		}
		if i != last[w] {
			t.Fatalf("writer %d: record %d comes where %d should", w, i, last[w])
		}
		last[w]++
	}
}

func readerWaits(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reader, err := log.Open(ctx, replog.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	for i := range 5 {
		appendTo(t, log, fmt.Sprint(i))
		wantData(t, next(t, ctx, reader, 1), fmt.Sprint(i))
	}
}

func contextEndsWait(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	reader, err := log.Open(t.Context(), replog.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reader.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next: %v", err)
	}
	appendTo(t, log, "a")
	wantData(t, next(t, t.Context(), reader, 1), "a")
}

func closeEnds(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	appendTo(t, log, "a")
	reader, err := log.Open(t.Context(), replog.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	next(t, t.Context(), reader, 1)
	ended := make(chan error, 1)
	go func() {
		_, err := reader.Next(context.Background())
		ended <- err
	}()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a reader of a closed connection got a record")
		}
	case <-time.After(patience):
		t.Fatal("a reader of a closed connection still waits")
	}
	if err := log.Append(t.Context(), []byte("b")); !errors.Is(err, replog.ErrClosed) {
		t.Errorf("Append to a closed connection: %v", err)
	}
	if _, err := log.Open(t.Context(), 0); !errors.Is(err, replog.ErrClosed) {
		t.Errorf("Open on a closed connection: %v", err)
	}
}

func beyondEnd(t *testing.T, f Features, s Server) {
	log := s.Connect(t)
	appendTo(t, log, "a")
	reader, err := log.Open(t.Context(), 1000)
	if f.TellsLost != errors.Is(err, replog.ErrLost) {
		t.Errorf("Open beyond the end: %v", err)
	}
	if err == nil {
		_ = reader.Close()
	}
}

func largeRecord(t *testing.T, _ Features, s Server) {
	log := s.Connect(t)
	large := make([]byte, 4<<20)
	for i := range large {
		large[i] = byte('a' + i%26)
	}
	appendTo(t, log, string(large), "small")
	wantData(t, read(t, log, replog.Oldest, 2), string(large), "small")
}
