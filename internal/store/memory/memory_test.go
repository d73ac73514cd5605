package memory_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"rideshare/internal/replog"
	"rideshare/internal/store"
	"rideshare/internal/store/memory"
	"rideshare/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func create(testing.TB) storetest.Opener {
	disk := memory.New()
	return func(context.Context) (store.Store, error) { return disk.Open(), nil }
}

func TestStore(t *testing.T) { storetest.Run(t, storetest.Features{}, create) }

func FuzzImport(f *testing.F) { storetest.FuzzImport(f, create) }

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, create, nil) }

func BenchmarkOpen(b *testing.B) {
	disk := memory.New()
	for b.Loop() {
		_ = disk.Open().Close()
	}
}

// TestKilledByTheNext: a process that is thought to be dead commits nothing beside the next one.
func TestKilledByTheNext(t *testing.T) {
	disk := memory.New()
	old := disk.Open()
	tx, err := old.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next := disk.Open()
	if err := tx.Commit(t.Context(), store.Bookkeeping{State: replog.State{Seq: 1}}); !errors.Is(err, store.ErrClosed) {
		t.Error(err)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	if state, err := next.State(t.Context()); err != nil || state != (replog.State{}) {
		t.Error(state, err)
	}
}
