package memory

import (
	"context"
	"errors"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

var errOver = errors.New("memory: the transaction is over")

// tx implements store.Tx.
type tx struct {
	store  *Store
	data   *data // the transaction's own; nil when it is over
	broken error // what broke it
}

// Begin implements store.Store. It waits for a transaction or an Import under way.
func (s *Store) Begin(ctx context.Context, _ ...string) (store.Tx, error) {
	t, err := s.begin(ctx)
	if err != nil {
		return nil, err // not the nil *tx, which would be a Tx that is not nil
	}
	return t, nil
}

func (s *Store) begin(ctx context.Context) (*tx, error) {
	if err := s.fault(ctx, nil); err != nil {
		return nil, err
	}
	select {
	case s.writer <- struct{}{}:
	case <-s.closed:
		return nil, store.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	committed, err := s.snapshot(ctx)
	if err != nil {
		<-s.writer
		return nil, err
	}
	return &tx{store: s, data: committed.clone()}, nil
}

// usable returns why a call cannot be made. What ends a context breaks the transaction.
func (t *tx) usable(ctx context.Context) error {
	switch {
	case t.data == nil:
		return errOver
	case t.broken == nil:
		t.broken = t.store.fault(ctx, nil)
	}
	return t.broken
}

func (t *tx) end() {
	if t.data != nil {
		t.data = nil
		<-t.store.writer
	}
}

// Replies implements store.Tx.
func (t *tx) Replies(ctx context.Context, ids []string) (map[string][]byte, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for _, id := range ids {
		if r := t.data.rows[replies.Name].get(keyTo(id)); r != nil {
			found[id] = []byte(r[2].(string))
		}
	}
	return found, nil
}

// Sequences implements store.Tx.
func (t *tx) Sequences(ctx context.Context) (db.Sequences, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	seqs := db.Sequences{}
	for _, r := range t.data.rows[sequences.Name].all() {
		seqs[r[0].(string)] = r[1].(int64)
	}
	return seqs, nil
}

// Commit implements store.Tx.
func (t *tx) Commit(ctx context.Context, b store.Bookkeeping) error {
	defer t.end()
	if err := t.usable(ctx); err != nil {
		return err
	}
	t.data.bookkeep(b)
	return t.store.commit(t.data)
}

// Rollback implements store.Tx.
func (t *tx) Rollback() error {
	t.end()
	return nil
}
