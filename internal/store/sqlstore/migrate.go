package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"rideshare/internal/db"
)

// clear returns the statements that empty every table, restart the sequences and discard the stored
// replies as of that time; at the zero time these stay.
func (t *tx) clear(forget time.Time) []statement {
	t.asked, t.known = nil, nil // it may discard them
	t.seqs = nil
	var list []statement
	for _, table := range slices.Backward(tables(t.schema)) {
		if table != &replies {
			list = append(list, empty(table))
		}
	}
	if !forget.IsZero() {
		list = append(list, statement{
			text: "UPDATE replica_replies SET at = ?, body = ?",
			args: []any{forget.UnixMicro(), db.Reply{Cleared: forget}.Encode()},
		})
	}
	return list
}

// migrate applies the schema changes up to number n that have not been applied.
func (t *tx) migrate(ctx context.Context, n int) error {
	if n > db.LatestMigration {
		return newerSchema(n)
	}
	for t.schema < n {
		for _, c := range t.store.dialect.Migrations[t.schema] {
			if err := t.change(ctx, c); err != nil {
				return err
			}
		}
		t.schema++
		if t.store.dialect.DDLCommits {
			err := t.conn.run(ctx, control(t.store.dialect.BeginWrite), control(savepoint))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// change executes a statement of a schema change that is not there already.
func (t *tx) change(ctx context.Context, c Change) error {
	there := false
	if c.Unless != "" {
		query := statement{text: c.Unless, each: func(*sql.Rows) error { there = true; return nil }}
		if err := t.conn.run(ctx, query); err != nil {
			return err
		}
	}
	if there {
		return nil
	}
	return t.conn.run(ctx, control(c.Text))
}

// refuse turns the failure of an op into what its caller is told, where it is the caller's.
func (t *tx) refuse(err error, table *db.Table, op int) error {
	var refused *db.Error
	if errors.As(err, &refused) {
		refused.Op = &op
		return refused
	}
	switch t.store.dialect.Classify(err) {
	case db.Duplicate:
		return db.OpError(db.Duplicate, op, "%s has a row with this %s", table.Name, strings.Join(table.Key, " and "))
	case db.ForeignKey:
		return db.OpError(db.ForeignKey, op, "%s", brokenReference(table))
	default:
		return err
	}
}

func brokenReference(table *db.Table) string {
	var by []string
	for _, r := range table.References {
		by = append(by, r.Column)
	}
	if len(by) == 0 {
		return "other rows refer to the key of " + table.Name
	}
	return "there is no row that " + strings.Join(by, " or ") + " refers to, or other rows refer to the key of " + table.Name
}
