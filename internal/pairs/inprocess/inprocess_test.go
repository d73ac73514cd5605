package inprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"rideshare/internal/pairs"
	"rideshare/internal/pairs/inprocess"
	"rideshare/internal/pairs/pairstest"
	"rideshare/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is a store: only Close and Intact matter here.
type database struct {
	store.Store
	open *atomic.Int64
	once sync.Once
	dir  string
}

func (d *database) Intact() error {
	if _, err := os.Stat(d.dir); err != nil {
		return fmt.Errorf("%w: %w", store.ErrGone, err)
	}
	return nil
}

func (d *database) Close() error {
	d.once.Do(func() { d.open.Add(-1) })
	return nil
}

// worker runs until it is ended, or fails when told to.
type worker struct {
	fail   chan error
	killed atomic.Bool
}

func (w *worker) Kill() { w.killed.Store(true) }

func (w *worker) Run(ctx context.Context) error {
	select {
	case err := <-w.fail:
		return err
	case <-ctx.Done():
		return nil
	}
}

// configIn returns a config which counts the open databases, and hands each worker to launched.
func configIn(dir string, open *atomic.Int64, launched func(*worker)) inprocess.Config {
	return inprocess.Config{
		Dir: dir,
		Open: func(_ context.Context, dir string, create bool) (store.Store, error) {
			if create {
				if err := os.Mkdir(dir, 0o700); err != nil {
					return nil, err
				}
				if err := os.WriteFile(filepath.Join(dir, "data"), []byte(dir), 0o600); err != nil {
					return nil, err
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
				return nil, fmt.Errorf("%w: %w", store.ErrDamaged, err)
			}
			open.Add(1)
			return &database{open: open, dir: dir}, nil
		},
		Launch: func(inprocess.Identity, store.Store) inprocess.Worker {
			w := &worker{fail: make(chan error, 1)}
			if launched != nil {
				launched(w)
			}
			return w
		},
	}
}

func mustNew(t *testing.T, c inprocess.Config) *inprocess.Pairs {
	t.Helper()
	p, err := inprocess.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestConformance(t *testing.T) {
	pairstest.Run(t, pairstest.Features{}, func(t *testing.T) pairstest.Factory {
		dir := t.TempDir()
		return func(t *testing.T) pairs.Pairs { return mustNew(t, configIn(dir, new(atomic.Int64), nil)) }
	})
}

func TestAWorkerThatFailsIsAnEventAndLeavesNothing(t *testing.T) {
	var open atomic.Int64
	var last *worker
	p := mustNew(t, configIn(t.TempDir(), &open, func(w *worker) { last = w }))
	events := p.Events(t.Context())
	pair, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last.fail <- errors.New("disk full")
	if e := <-events; e.Pair != pair.ID || e.Part != pairs.WorkerPart || e.Why != "disk full" {
		t.Errorf("event %+v", e)
	}
	list, _ := p.List(t.Context())
	if list[0].Worker.Running || list[0].Worker.Fault != "disk full" {
		t.Errorf("afterwards: %+v", list[0])
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if open.Load() != 0 {
		t.Errorf("%d databases are left open", open.Load())
	}
	if !last.killed.Load() {
		t.Error("what the worker was connected to was not cut off")
	}
}

func TestOnlyFoldersOfPairsArePairs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"p7", "p08", "px", "q1", "p-1", "damaged"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p := mustNew(t, configIn(dir, new(atomic.Int64), nil))
	list, err := p.List(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != "p7" {
		t.Errorf("pairs %+v, %v", list, err)
	}
	if pair, err := p.Create(t.Context()); err != nil || pair.ID != "p8" {
		t.Errorf("the next one is %s, %v", pair.ID, err)
	}
}
