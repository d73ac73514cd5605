package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

// Read implements store.Store. Rows for which the order asked for leaves the choice come in the
// order of their key, so that all replicas answer alike. Reads by key that come at the same time
// share a snapshot. A read that takes much of the database waits for its turn.
func (s *Store) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	q, err := newReading(ctx, r)
	switch {
	case err != nil:
	case byKey(r):
		err = s.share(ctx, q)
	default:
		err = s.readSome(ctx, r, q)
	}
	if s.dialect.TooMuch != nil && s.dialect.TooMuch(err) {
		err = fmt.Errorf("%w: %w", store.ErrTooMuch, err)
	}
	if err != nil {
		return db.ReadResult{}, err
	}
	return q.result, nil
}

// readSome executes a read that is not by key: beside others where it is small, else alone.
func (s *Store) readSome(ctx context.Context, r db.Read, q *reading) error {
	large := false
	counts, err := rowCounts(r, &large)
	if err != nil {
		return err
	}
	err = s.lend(ctx, func(ctx context.Context, v *view) error {
		if len(counts) > 0 {
			if err := v.conn.run(ctx, append([]statement{v.loadStateWith(&q.schema)}, counts...)...); err != nil || large {
				return err
			}
		}
		return s.snapshot(ctx, v.conn, q)
	})
	if err != nil || !large {
		return err
	}
	return s.large.do(ctx, func() error {
		return s.lend(ctx, func(ctx context.Context, v *view) error { return s.snapshot(ctx, v.conn, q) })
	})
}

func newReading(ctx context.Context, r db.Read) (*reading, error) {
	n := len(r.Queries)
	q := &reading{caller: ctx, schema: r.Schema(), queries: make([]statement, n), done: make(chan struct{})}
	q.result.Results = make([]db.QueryResult, n)
	for i := range r.Queries {
		var err error
		if q.queries[i], err = query(r.Queries[i], &q.result.Results[i], q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// snapshot executes reads in one snapshot. It may be called again for those of a call that failed.
func (s *Store) snapshot(ctx context.Context, c *conn, all ...*reading) error {
	// The state first: that is what makes a database take the snapshot that does so with the first
	// query.
	v, schema := view{conn: c}, 0
	list := []statement{control(s.dialect.BeginRead), v.loadStateWith(&schema)}
	size := 0
	for _, r := range all {
		schema = max(schema, r.schema)
		r.size = &size
		for i := range r.result.Results {
			answer := &r.result.Results[i]
			answer.Rows = answer.Rows[:0] // what a call that failed has left
		}
		list = append(list, r.queries...)
	}
	if err := c.run(ctx, append(list, control(commit))...); err != nil {
		return err
	}
	for _, r := range all {
		r.result.Position = v.state.Position()
	}
	return nil
}

// query returns the statement of a query of a reading, which puts its answer into result, and refuses what is
// too large.
func query(q db.Query, result *db.QueryResult, of *reading) (statement, error) {
	t, err := lookup(q.Table)
	if err != nil {
		return statement{}, err
	}
	if q.Count {
		result.Count = new(int64)
		return count(t, q.Where, result.Count)
	}
	columns := make([]db.Column, len(q.Columns))
	for i, name := range q.Columns {
		column, err := lookupColumn(t, name)
		if err != nil {
			return statement{}, err
		}
		columns[i] = *column
	}
	text, args, err := selectText(t, q)
	if err != nil {
		return statement{}, err
	}
	result.Rows = []db.Row{}
	cells := newCells(columns)
	return statement{text: text, args: args, each: func(rows *sql.Rows) error {
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		row := make(db.Row, len(columns))
		for i, column := range columns {
			row[column.Name] = value(column, cells[i])
		}
		if *of.size += row.Size(); *of.size > db.MaxAnswer {
			return db.ErrTooLarge()
		}
		result.Rows = append(result.Rows, row)
		return nil
	}}, nil
}

// count returns the query for the number of rows that match.
func count(t *db.Table, conditions []db.Condition, n *int64) (statement, error) {
	clause, args, err := where(t, conditions, nil)
	return statement{
		text: "SELECT COUNT(*) FROM " + quote(t.Name) + clause, args: args,
		each: func(rows *sql.Rows) error { return rows.Scan(n) },
	}, err
}

func selectText(t *db.Table, q db.Query) (string, []any, error) {
	clause, args, err := where(t, q.Where, nil)
	if err != nil {
		return "", nil, err
	}
	var order []string
	for _, o := range q.Order(t) {
		column, err := lookupColumn(t, o.Column)
		if err != nil {
			return "", nil, err
		}
		direction := ""
		if o.Desc {
			direction = " DESC"
		}
		order = append(order, quote(column.Name)+direction)
	}
	text := "SELECT " + columnList(q.Columns) + " FROM " + quote(t.Name) + clause + " ORDER BY " + strings.Join(order, ", ")
	if q.Limit > 0 {
		text, args = text+" LIMIT ?", append(args, q.Limit)
	}
	return text, args, nil
}

// newCells returns a place for each column's stored value: *int64, *string or *[]byte.
func newCells(columns []db.Column) []any {
	cells := make([]any, len(columns))
	for i, c := range columns {
		switch c.Type {
		case db.Text:
			cells[i] = new(string)
		case blob:
			cells[i] = new([]byte)
		default:
			cells[i] = new(int64)
		}
	}
	return cells
}

// value returns what a cell holds as a value of the request language.
func value(c db.Column, cell any) db.Value {
	switch v := cell.(type) {
	case *int64:
		if c.Type == db.Time {
			return time.UnixMicro(*v).UTC()
		}
		return *v
	case *string:
		return *v
	default:
		return nil
	}
}
