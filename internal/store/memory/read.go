package memory

import (
	"context"
	"fmt"
	"slices"

	"rideshare/internal/db"
)

// Read implements store.Store. Rows for which the order asked for leaves the choice come in the
// order of their key.
func (s *Store) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	d, err := s.snapshot(ctx)
	if err != nil {
		return db.ReadResult{}, err
	}
	if need := r.Schema(); d.schema < need {
		return db.ReadResult{}, db.Errorf(db.Unavailable, "the database has schema %d yet, and this needs %d", d.schema, need)
	}
	result, size := db.ReadResult{Position: d.state.Position()}, 0
	for _, q := range r.Queries {
		answer, err := d.query(q)
		if err != nil {
			return db.ReadResult{}, err
		}
		for _, row := range answer.Rows {
			size += row.Size()
		}
		if size > db.MaxAnswer {
			return db.ReadResult{}, db.ErrTooLarge()
		}
		result.Results = append(result.Results, answer)
	}
	return result, nil
}

func (d *data) query(q db.Query) (db.QueryResult, error) {
	t, err := d.lookup(q.Table)
	if err != nil {
		return db.QueryResult{}, err
	}
	match, err := matcher(t, q.Where)
	if err != nil {
		return db.QueryResult{}, err
	}
	rows := d.matching(t, match)
	if q.Count {
		return db.QueryResult{Count: db.Rows(int64(len(rows)))}, nil
	}
	if err := sortRows(t, rows, q.OrderBy); err != nil {
		return db.QueryResult{}, err
	}
	if q.Limit > 0 {
		rows = rows[:min(q.Limit, len(rows))]
	}
	result := db.QueryResult{Rows: make([]db.Row, len(rows))}
	for i := range rows {
		result.Rows[i] = make(db.Row, len(q.Columns))
	}
	for _, name := range q.Columns {
		column, err := lookupColumn(t, name)
		if err != nil {
			return db.QueryResult{}, err
		}
		for i, r := range rows {
			result.Rows[i][name] = valueOf(&t.Columns[column], r[column])
		}
	}
	return result, nil
}

// sortRows sorts rows that are in the order of their key.
func sortRows(t *db.Table, rows []row, by []db.Order) error {
	columns := make([]int, len(by))
	for i, o := range by {
		var err error
		if columns[i], err = lookupColumn(t, o.Column); err != nil {
			return err
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		for i, column := range columns {
			if c := compareCells(a[column], b[column]); c != 0 && by[i].Desc {
				return -c
			} else if c != 0 {
				return c
			}
		}
		return 0
	})
	return nil
}

func lookupColumn(t *db.Table, name string) (int, error) {
	i := columnOf(t, name)
	if i < 0 {
		return 0, fmt.Errorf("the request was not checked: no column %q", name)
	}
	return i, nil
}
