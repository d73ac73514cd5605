package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

// The ends of a transaction.
const (
	commit   = "COMMIT"
	rollback = "ROLLBACK"
)

var errOver = errors.New("sqlstore: the transaction is over")

// tx implements store.Tx.
type tx struct {
	store  *Store
	conn   *conn             // nil when the transaction is over
	schema int               // the schema version, with the migrations of this transaction
	broken error             // what broke it: a database may have undone everything, and the next statement would stand alone
	seqs   db.Sequences      // as they are in the database; nil where that is not known
	asked  []string          // whose replies are known
	known  map[string][]byte // they
}

// Begin implements store.Store. It waits for a transaction or an Import under way.
func (s *Store) Begin(ctx context.Context, ids ...string) (store.Tx, error) {
	t, err := s.begin(ctx, ids)
	if err != nil {
		return nil, err // not the nil *tx, which would be a Tx that is not nil
	}
	return t, nil
}

func (s *Store) begin(ctx context.Context, ids []string) (*tx, error) {
	ctx, done := s.call(ctx)
	defer done()
	if err := s.Intact(); err != nil {
		return nil, s.fault(ctx, err)
	}
	c, err := s.writer.take(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	t := &tx{store: s, conn: c}
	var v view
	list := []statement{control(s.dialect.BeginWrite), v.loadState()}
	if s.dialect.Script != nil { // on the way, as it costs nothing
		t.seqs = db.Sequences{}
		list = append(list, loadSequences(t.seqs))
		if len(ids) > 0 {
			t.asked, t.known = ids, map[string][]byte{}
			list = append(list, loadReplies(ids, t.known))
		}
	}
	if err := c.run(ctx, list...); err != nil {
		t.end(false)
		return nil, s.fault(ctx, err)
	}
	t.schema = v.schema
	return t, nil
}

// do runs one call.
func (t *tx) do(ctx context.Context, fn func(context.Context) error) error {
	if t.conn == nil {
		return errOver
	}
	if t.broken != nil {
		return fmt.Errorf("sqlstore: the transaction is broken: %w", t.broken)
	}
	ctx, done := t.store.call(ctx)
	defer done()
	err := t.store.fault(ctx, fn(ctx))
	if broken(err) {
		t.broken = err
	}
	return err
}

// end gives the connection back, dropped where it may still be in the transaction.
func (t *tx) end(clean bool) {
	if t.conn == nil {
		return
	}
	if !clean {
		t.conn.drop()
	}
	t.store.writer.give(t.conn)
	t.conn = nil
}

// Replies implements store.Tx.
func (t *tx) Replies(ctx context.Context, ids []string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := t.do(ctx, func(ctx context.Context) error {
		if len(ids) > 0 && slices.Equal(ids, t.asked) {
			found = t.known
			return nil
		}
		for len(ids) > 0 {
			n := min(len(ids), db.MaxInList)
			if err := t.conn.run(ctx, loadReplies(ids[:n], found)); err != nil {
				return err
			}
			ids = ids[n:]
		}
		return nil
	})
	return found, err
}

// loadReplies returns the query that adds the stored replies of the ids to found.
func loadReplies(ids []string, found map[string][]byte) statement {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	values = pad(values)
	query := "SELECT id, body FROM replica_replies WHERE id IN " + marks(len(values))
	return statement{text: query, args: values, each: func(rows *sql.Rows) error {
		var id string
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		found[id] = body
		return nil
	}}
}

// Sequences implements store.Tx.
func (t *tx) Sequences(ctx context.Context) (db.Sequences, error) {
	var seqs db.Sequences
	err := t.do(ctx, func(ctx context.Context) error {
		if seqs = maps.Clone(t.seqs); seqs != nil {
			return nil
		}
		seqs = db.Sequences{}
		return t.conn.run(ctx, loadSequences(seqs))
	})
	return seqs, err
}

// Commit implements store.Tx.
func (t *tx) Commit(ctx context.Context, b store.Bookkeeping) error {
	if err := t.gone(); err != nil {
		return err
	}
	err := t.do(ctx, func(ctx context.Context) error {
		d := &t.store.dialect
		var list []statement
		if b.Sequences != nil && (t.seqs == nil || !maps.Equal(b.Sequences, t.seqs)) {
			list = d.saveSequences(b.Sequences)
		}
		list = append(list, d.saveReplies(b)...)
		return t.conn.run(ctx, append(list, saveState(b.State, t.schema), control(commit))...)
	})
	t.end(err == nil)
	return err
}

// gone undoes the transaction where its files are gone. The connection stays, as it is the last one
// that is sure to reach them.
func (t *tx) gone() error {
	if t.conn == nil || t.broken != nil {
		return nil //nolint:nilerr // what broke it is told by whoever used it
	}
	err := t.store.gone(true)
	if err == nil || t.store.closing.Err() != nil {
		return nil //nolint:nilerr // closing removes the write-ahead log
	}
	_ = t.Rollback() // it always returns nil
	return err
}

// Rollback implements store.Tx. It always returns nil: where the database cannot be told, the
// connection is closed, which undoes everything as well.
func (t *tx) Rollback() error {
	if t.conn != nil {
		t.end(t.broken == nil && t.conn.control(t.store.closing, rollback) == nil)
	}
	return nil
}
