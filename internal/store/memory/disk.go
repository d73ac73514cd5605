// Package memory is the store in the memory of the process, without any I/O: for simulations, which
// play thousands of crashes. What crashes is the handle, a Store; what it has committed stays on the
// Disk. Nothing in it waits but for another transaction, and it has no goroutines, so that it works
// in the bubbles of testing/synctest.
//
// All data is an immutable value (see tree). A transaction works on its own copy, a read on the one
// that was committed last, and committing is putting one pointer in place of another.
package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// Disk is what outlives a crash.
type Disk struct {
	mu   sync.Mutex
	user *Store // may commit; nil: nobody
	data *data
}

// New returns an empty disk.
func New() *Disk { return &Disk{data: newData()} }

// Open returns a process's handle. The one before, where it was not closed, is killed: it can not
// commit any more.
func (d *Disk) Open() *Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.user != nil {
		close(d.user.closed)
	}
	d.user = &Store{disk: d, writer: make(chan struct{}, 1), closed: make(chan struct{})}
	return d.user
}

var _ store.Store = (*Store)(nil)

// Store implements store.Store.
type Store struct {
	disk   *Disk
	writer chan struct{} // holds one while there is a transaction
	closed chan struct{}
}

// Close implements store.Store. It kills the handle: a transaction under way is as good as never
// begun.
func (s *Store) Close() error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.disk.user == s {
		s.disk.user = nil
		close(s.closed)
	}
	return nil
}

// fault returns why a call cannot go on, or err.
func (s *Store) fault(ctx context.Context, err error) error {
	select {
	case <-s.closed:
		return store.ErrClosed
	default:
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return errors.Join(ended, err)
	}
	return err
}

// snapshot returns what was committed last.
func (s *Store) snapshot(ctx context.Context) (*data, error) {
	if err := s.fault(ctx, nil); err != nil {
		return &data{}, err
	}
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return s.disk.data, nil
}

// commit makes d what was committed last.
func (s *Store) commit(d *data) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.disk.user != s {
		return store.ErrClosed
	}
	s.disk.data = d
	return nil
}

// State implements store.Store.
func (s *Store) State(ctx context.Context) (replog.State, error) {
	d, err := s.snapshot(ctx)
	return d.state, err
}

// SchemaVersion implements store.Store.
func (s *Store) SchemaVersion(ctx context.Context) (int, error) {
	d, err := s.snapshot(ctx)
	return d.schema, err
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error { return s.fault(ctx, nil) }

// Intact implements store.Store: nothing can be deleted from a Disk.
func (s *Store) Intact() error { return nil }

func newerSchema(n int) error {
	return fmt.Errorf("%w: it knows migration %d, not %d", store.ErrNewerSchema, db.LatestMigration, n)
}
