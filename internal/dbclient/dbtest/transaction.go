package dbtest

import (
	"maps"
	"slices"

	"rideshare/internal/db"
)

// transaction applies ops to tables whose slices it never changes in place.
type transaction struct{ tables map[string][]db.Row }

func (t *transaction) apply(i int, op db.Op) (int64, *db.Error) {
	if op.Clear {
		clear(t.tables)
		return 0, nil
	}
	if op.Advance != "" {
		return 0, nil // Resolve has done it
	}
	if op.Insert != "" {
		return t.insert(i, op)
	}
	table := op.Update + op.Delete + op.Check
	var matched, rest []db.Row
	for _, row := range t.tables[table] {
		if matches(row, op.Where) {
			matched = append(matched, row)
		} else {
			rest = append(rest, row)
		}
	}
	n := int64(len(matched))
	if op.Expect != nil && *op.Expect != n {
		return 0, db.OpError(db.Expectation, i, "%d rows matched, %d were expected", n, *op.Expect)
	}
	if op.Update != "" {
		for _, row := range matched {
			row = maps.Clone(row)
			maps.Copy(row, op.Set)
			rest = append(rest, row)
		}
		t.tables[table] = rest
	}
	if op.Delete != "" {
		t.tables[table] = rest
		t.cascade(table, matched)
	}
	return n, nil
}

func (t *transaction) insert(i int, op db.Op) (int64, *db.Error) {
	table, _ := db.LookupTable(op.Insert)
	for _, row := range t.tables[table.Name] {
		if same(row, op.Values, table.Key) {
			return 0, db.OpError(db.Duplicate, i, "a row with this key exists in %s", table.Name)
		}
	}
	for _, ref := range table.References {
		parent, _ := db.LookupTable(ref.Table)
		if !slices.ContainsFunc(t.tables[ref.Table], func(row db.Row) bool {
			return compare(row[parent.Key[0]], op.Values[ref.Column]) == 0
		}) {
			return 0, db.OpError(db.ForeignKey, i, "%s has no such row", ref.Table)
		}
	}
	t.tables[table.Name] = append(slices.Clone(t.tables[table.Name]), op.Values)
	return 1, nil
}

// cascade deletes what refers to the deleted rows.
func (t *transaction) cascade(parent string, deleted []db.Row) {
	key, _ := db.LookupTable(parent)
	for _, table := range db.Tables {
		for _, ref := range table.References {
			if ref.Table != parent {
				continue
			}
			for _, gone := range deleted {
				_, _ = t.apply(0, db.Op{Delete: table.Name,
					Where: []db.Condition{db.Where(ref.Column, db.Eq, gone[key.Key[0]])}})
			}
		}
	}
}

func same(a, b map[string]db.Value, columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return compare(a[c], b[c]) != 0 })
}
