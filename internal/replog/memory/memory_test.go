package memory_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"rideshare/internal/replog"
	"rideshare/internal/replog/memory"
	"rideshare/internal/replog/replogtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type server struct{ *memory.Log }

func (s server) Connect(t *testing.T) replog.Log {
	c := s.Log.Connect()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	replogtest.Run(t, replogtest.Features{TellsLost: true}, func(*testing.T) replogtest.Server {
		return server{memory.New(memory.Options{})}
	})
}

func TestRetentionDropsTheOldest(t *testing.T) {
	log := memory.New(memory.Options{MaxBytes: 10}).Connect()
	for _, r := range []string{"aaaa", "bbbb", "cccc"} {
		if err := log.Append(t.Context(), []byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := log.Open(t.Context(), replog.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := reader.Next(t.Context())
	if err != nil || len(raws) != 2 || raws[0].Offset != 1 || string(raws[0].Data) != "bbbb" {
		t.Errorf("got %v, %v; want the records 1 and 2", raws, err)
	}
	if _, err := log.Open(t.Context(), 0); !errors.Is(err, replog.ErrLost) {
		t.Errorf("Open at what was dropped: %v", err)
	}
}

func TestFates(t *testing.T) {
	tests := []struct {
		fate    memory.Fate
		err     error
		at, end int // records at once, and after Deliver
	}{
		{memory.Kept, nil, 1, 1},
		{memory.Failed, replog.ErrUnavailable, 0, 0},
		{memory.Unknown, replog.ErrUnavailable, 1, 1},
		{memory.Late, replog.ErrUnavailable, 0, 1},
		{memory.Confirmed, nil, 0, 1},
		{memory.Twice, nil, 2, 2},
	}
	for _, test := range tests {
		log := memory.New(memory.Options{Fate: func([]byte) memory.Fate { return test.fate }})
		conn := log.Connect()
		if err := conn.Append(t.Context(), []byte("r")); !errors.Is(err, test.err) {
			t.Errorf("fate %d: Append: %v", test.fate, err)
		}
		if n := log.Len(); n != test.at {
			t.Errorf("fate %d: %d records at once, want %d", test.fate, n, test.at)
		}
		log.Deliver()
		if n := log.Len(); n != test.end {
			t.Errorf("fate %d: %d records in the end, want %d", test.fate, n, test.end)
		}
	}
}
