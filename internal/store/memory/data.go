package memory

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// The bookkeeping that belongs to the data, as tables: snapshots hold them like the others.
var (
	replies = &db.Table{
		Name: "replica_replies",
		Columns: []db.Column{
			{Name: "id", Type: db.Text}, {Name: "at", Type: db.Time}, {Name: "body", Type: blob},
		},
		Key: []string{"id"},
	}
	sequences = &db.Table{
		Name:    "replica_sequences",
		Columns: []db.Column{{Name: "name", Type: db.Text}, {Name: "value", Type: db.Integer}},
		Key:     []string{"name"},
	}
)

// data is all that a database holds. Only the transaction that made it with clone changes it.
type data struct {
	state  replog.State
	schema int
	rows   map[string]tree // by table
	oldest int64           // no stored reply is older, in microseconds since 1970
}

func newData() *data { return &data{rows: map[string]tree{}, oldest: math.MaxInt64} }

func (d *data) clone() *data {
	c := *d
	c.rows = maps.Clone(d.rows)
	return &c
}

// tables yields the tables that there are, each after those it refers to.
func (d *data) tables() iter.Seq[*db.Table] {
	return func(yield func(*db.Table) bool) {
		for _, t := range db.TablesAt(d.schema) {
			if !yield(t) {
				return
			}
		}
		_ = yield(replies) && yield(sequences)
	}
}

// lookup finds the table that a request names.
func (d *data) lookup(name string) (*db.Table, error) {
	t, ok := db.LookupTable(name)
	if !ok || d.schema == 0 {
		return nil, fmt.Errorf("no table %q in schema %d", name, d.schema)
	}
	return t.At(d.schema), nil
}

// migrate gives the rows the columns of a newer schema.
func (d *data) migrate(schema int) {
	for _, t := range db.TablesAt(d.schema) {
		newer, _ := db.LookupTable(t.Name)
		for _, r := range d.matching(t, func(row) bool { return true }) {
			for range newer.At(schema).Columns[len(t.Columns):] {
				r = append(slices.Clip(r), "")
			}
			d.put(t, r)
		}
	}
	d.schema = schema
}

// bookkeep stores what comes with the entries of a transaction.
func (d *data) bookkeep(b store.Bookkeeping) {
	d.state = b.State
	if b.Sequences != nil {
		d.rows[sequences.Name] = tree{}
		for name, value := range b.Sequences {
			d.put(sequences, row{name, value})
		}
	}
	if !b.Expire.IsZero() && b.Expire.UnixMicro() > d.oldest {
		expired := d.matching(replies, func(r row) bool { return r[1].(int64) < b.Expire.UnixMicro() })
		d.remove(replies, expired)
		d.oldest = b.Expire.UnixMicro()
	}
	for _, reply := range b.Replies {
		at := reply.At.UnixMicro()
		d.oldest = min(d.oldest, at)
		d.put(replies, row{reply.ID, at, string(reply.Body)})
	}
}

// clear empties every table and the sequences, and discards the stored replies as of that time; at
// the zero time these stay.
func (d *data) clear(forget time.Time) {
	stored := d.rows[replies.Name]
	d.rows = map[string]tree{replies.Name: stored}
	if forget.IsZero() {
		return
	}
	discarded := string(db.Reply{Cleared: forget}.Encode())
	for _, r := range stored.all() {
		d.put(replies, row{r[0], forget.UnixMicro(), discarded})
	}
	d.oldest = min(d.oldest, forget.UnixMicro())
}
