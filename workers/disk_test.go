package workers_test

import (
	"context"
	"fmt"
	"io"
	"sync"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

// moment is when a full disk shows.
type moment int

const (
	never       moment = iota
	onExecute          // a statement finds no room, while a commit of little still does
	onCommit           // a commit finds none, and stores nothing
	afterCommit        // a commit says so though all is stored
)

// disks are what databases are kept on, by name.
type disks struct {
	mu   sync.Mutex
	full map[string]moment
}

func newDisks() *disks { return &disks{full: map[string]moment{}} }

func (d *disks) fill(m moment, databases ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, database := range databases {
		d.full[database] = m
	}
}

// fails returns the error of a database whose disk is full at that moment.
func (d *disks) fails(database string, m moment) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full[database] == m {
		return fmt.Errorf("%w: of %s", store.ErrFull, database)
	}
	return nil
}

// on keeps the databases of an opener on these disks.
func (d *disks) on(open opener) opener {
	return func(ctx context.Context, database string) (store.Store, error) {
		s, err := open(ctx, database)
		return &limited{s, d, database}, err
	}
}

// limited is a store on a disk that may be full.
type limited struct {
	store.Store
	disks    *disks
	database string
}

// Begin implements store.Store.
func (s *limited) Begin(ctx context.Context, ids ...string) (store.Tx, error) {
	tx, err := s.Store.Begin(ctx, ids...)
	if err != nil {
		return nil, err
	}
	return &limitedTx{Tx: tx, store: s}, nil
}

// Import implements store.Store.
func (s *limited) Import(ctx context.Context, r io.Reader) error {
	for _, m := range []moment{onExecute, onCommit} {
		if err := s.disks.fails(s.database, m); err != nil {
			return err
		}
	}
	if err := s.Store.Import(ctx, r); err != nil {
		return err
	}
	return s.disks.fails(s.database, afterCommit)
}

type limitedTx struct {
	store.Tx
	store  *limited
	broken bool
}

// Execute implements store.Tx.
func (t *limitedTx) Execute(ctx context.Context, requests ...[]db.Op) ([][]db.OpResult, error) {
	if err := t.store.disks.fails(t.store.database, onExecute); err != nil {
		t.broken = true
		return nil, err
	}
	return t.Tx.Execute(ctx, requests...)
}

// Commit implements store.Tx.
func (t *limitedTx) Commit(ctx context.Context, b store.Bookkeeping) error {
	err := t.store.disks.fails(t.store.database, onCommit)
	if t.broken {
		err = store.ErrFull
	}
	if err != nil {
		_ = t.Rollback() // as the contract says, it is over
		return err
	}
	if err := t.Tx.Commit(ctx, b); err != nil {
		return err
	}
	return t.store.disks.fails(t.store.database, afterCommit)
}
