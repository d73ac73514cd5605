package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rideshare/internal/db"
)

// clear returns the statements that empty every table, restart the sequences and discard the stored
// replies as of that time; at the zero time these stay.
func (t *tx) clear(forget time.Time) []statement {
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
	if n <= t.schema {
		return nil
	}
	var list []statement
	for _, change := range t.store.dialect.Migrations[t.schema:n] {
		for _, ddl := range change {
			list = append(list, control(ddl))
		}
	}
	t.schema = n
	if t.store.dialect.DDLCommits {
		list = append(list, control(t.store.dialect.BeginWrite), control(savepoint))
	}
	return t.conn.run(ctx, list...)
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
