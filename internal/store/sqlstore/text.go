package sqlstore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rideshare/internal/db"
)

// quote quotes an identifier of the schema; SQLite takes MySQL's way, too.
func quote(name string) string { return "`" + name + "`" }

// columnList joins quoted names.
func columnList(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

// marks returns n placeholders.
func marks(n int) string { return "(" + strings.Repeat("?, ", n-1) + "?)" }

// columnNames returns the names of all columns.
func columnNames(t *db.Table) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// selectAll returns the query for all of a table in the order of its key.
func selectAll(t *db.Table) string {
	return "SELECT " + columnList(columnNames(t)) + " FROM " + quote(t.Name) + " ORDER BY " + columnList(t.Key)
}

// lookup finds what a request names in the schema. Requests have been checked: what is missing here
// is a mistake of the program, not of the caller.
func lookup(table string) (*db.Table, error) {
	t, ok := db.LookupTable(table)
	if !ok {
		return nil, fmt.Errorf("the request was not checked: no table %q", table)
	}
	return t, nil
}

func lookupColumn(t *db.Table, column string) (*db.Column, error) {
	c, ok := t.Column(column)
	if !ok {
		return nil, fmt.Errorf("the request was not checked: no column %q", column)
	}
	return c, nil
}

// bind returns a value as it is stored.
func bind(v db.Value) any {
	switch v := v.(type) {
	case int64, string:
		return v
	case time.Time:
		return v.UnixMicro()
	default:
		return unchecked{v}
	}
}

// unchecked is a value that no checked and resolved request has. database/sql refuses it; a
// db.Next it would take for a string.
type unchecked struct{ db.Value }

// where returns the WHERE clause of a statement, empty where there are no conditions, and appends
// its parameters to args.
func where(t *db.Table, conditions []db.Condition, args []any) (string, []any, error) {
	var clause strings.Builder
	for i, c := range conditions {
		column, err := lookupColumn(t, c.Column)
		if err != nil {
			return "", nil, err
		}
		clause.WriteString([]string{" WHERE ", " AND "}[min(i, 1)] + quote(column.Name))
		switch c.Op {
		case db.Eq, db.Ne, db.Lt, db.Le, db.Gt, db.Ge:
			clause.WriteString(" " + string(c.Op) + " ?")
			args = append(args, bind(c.Value))
		case db.In:
			values, ok := c.Value.([]any)
			if !ok {
				return "", nil, fmt.Errorf("the request was not checked: %T is no list", c.Value)
			}
			values = pad(values)
			clause.WriteString(" IN " + marks(len(values)))
			for _, v := range values {
				args = append(args, bind(v))
			}
		default:
			return "", nil, fmt.Errorf("the request was not checked: no comparison %q", c.Op)
		}
	}
	return clause.String(), args, nil
}

// pad repeats the last value of an "in" list until its length is a power of two or MaxInList, so
// that lists of all lengths need only a few prepared statements.
func pad(values []any) []any {
	n := 1
	for n < len(values) {
		n *= 2
	}
	n = max(min(n, db.MaxInList), len(values))
	return slices.Concat(values, slices.Repeat(values[len(values)-1:], n-len(values)))
}
