package sqlstore

import (
	"database/sql"
	"maps"
	"slices"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// blob is the type of a column of bytes, which requests do not have.
const blob db.Type = "blob"

// The bookkeeping tables that belong to the data. There is a third, replica_state, of one row: the
// state and the number of the newest migration.
var (
	replies = db.Table{
		Name: "replica_replies",
		Columns: []db.Column{
			{Name: "id", Type: db.Text}, {Name: "at", Type: db.Time}, {Name: "body", Type: blob},
		},
		Key: []string{"id"},
	}
	sequences = db.Table{
		Name:    "replica_sequences",
		Columns: []db.Column{{Name: "name", Type: db.Text}, {Name: "value", Type: db.Integer}},
		Key:     []string{"name"},
	}
)

// tables returns the tables that a database with that schema version has, each after those it
// refers to.
func tables(schema int) []*db.Table {
	return append(db.TablesAt(schema), &replies, &sequences)
}

// loadState returns the query for the state and the schema version. A database that has no row for
// them is new, and v stays as it is.
func (v *view) loadState() statement {
	const query = "SELECT log_id, epoch, seq, hash, log_offset, schema_version FROM replica_state"
	return statement{text: query, each: func(rows *sql.Rows) error {
		s, hash := &v.state, []byte(nil)
		if err := rows.Scan(&s.LogID, &s.Epoch, &s.Seq, &hash, &s.Offset, &v.schema); err != nil {
			return err
		}
		return s.Hash.UnmarshalText(hash)
	}}
}

func saveState(s replog.State, schema int) statement {
	const replace = "REPLACE INTO replica_state " +
		"(id, log_id, epoch, seq, hash, log_offset, schema_version) VALUES (1, ?, ?, ?, ?, ?, ?)"
	return statement{text: replace, args: []any{s.LogID, s.Epoch, s.Seq, s.Hash.String(), int64(s.Offset), schema}}
}

// loadSequences returns the query that adds the sequences to seqs.
func loadSequences(seqs db.Sequences) statement {
	return statement{text: selectAll(&sequences), each: func(rows *sql.Rows) error {
		var name string
		var value int64
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		seqs[name] = value
		return nil
	}}
}

// saveSequences stores seqs and removes all others.
func (d *Dialect) saveSequences(seqs db.Sequences) []statement {
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(seqs)) {
		rows = append(rows, []any{name, seqs[name]})
	}
	return append([]statement{empty(&sequences)}, d.inserts(insert, &sequences, rows)...)
}

// saveReplies removes the expired replies and stores new ones. An id that is there already gets
// the new reply: every replica does the same.
func (d *Dialect) saveReplies(b store.Bookkeeping) []statement {
	var list []statement
	if !b.Expire.IsZero() {
		list = append(list, statement{text: "DELETE FROM replica_replies WHERE at < ?", args: []any{b.Expire.UnixMicro()}})
	}
	rows := make([][]any, len(b.Replies))
	for i, r := range b.Replies {
		body := r.Body
		if body == nil {
			body = []byte{} // nil would be NULL
		}
		rows[i] = []any{r.ID, r.At.UnixMicro(), body}
	}
	return append(list, d.inserts(replace, &replies, rows)...)
}
