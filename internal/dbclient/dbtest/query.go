package dbtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rideshare/internal/db"
)

func (d *DB) query(q db.Query) db.QueryResult {
	rows := []db.Row{}
	for _, row := range d.tables[q.Table] {
		if matches(row, q.Where) {
			rows = append(rows, row)
		}
	}
	if q.Count {
		n := int64(len(rows))
		return db.QueryResult{Count: &n}
	}
	slices.SortStableFunc(rows, func(a, b db.Row) int {
		for _, o := range q.OrderBy {
			if c := compare(a[o.Column], b[o.Column]); c != 0 && o.Desc {
				return -c
			} else if c != 0 {
				return c
			}
		}
		return 0
	})
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
	}
	for i, row := range rows {
		rows[i] = db.Row{}
		for _, column := range q.Columns {
			rows[i][column] = row[column]
		}
	}
	return db.QueryResult{Rows: rows}
}

func matches(row db.Row, where []db.Condition) bool {
	return !slices.ContainsFunc(where, func(c db.Condition) bool { return !holds(row[c.Column], c) })
}

func holds(v db.Value, c db.Condition) bool {
	if list, ok := c.Value.([]any); ok {
		return slices.ContainsFunc(list, func(item any) bool { return compare(v, item) == 0 })
	}
	got := compare(v, c.Value)
	switch c.Op {
	case db.Eq:
		return got == 0
	case db.Ne:
		return got != 0
	case db.Lt:
		return got < 0
	case db.Le:
		return got <= 0
	case db.Gt:
		return got > 0
	default:
		return got >= 0
	}
}

// compare orders two values of one column: checked requests have no others.
func compare(a, b db.Value) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case time.Time:
		return a.Compare(b.(time.Time))
	default:
		return strings.Compare(a.(string), b.(string))
	}
}
