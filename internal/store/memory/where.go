package memory

import (
	"fmt"

	"rideshare/internal/db"
)

// matcher returns whether a row meets all conditions.
func matcher(t *db.Table, conditions []db.Condition) (func(row) bool, error) {
	all := make([]func(row) bool, len(conditions))
	for i, c := range conditions {
		var err error
		if all[i], err = condition(t, c); err != nil {
			return nil, err
		}
	}
	return func(r row) bool {
		for _, holds := range all {
			if !holds(r) {
				return false
			}
		}
		return true
	}, nil
}

func condition(t *db.Table, c db.Condition) (func(row) bool, error) {
	i, err := lookupColumn(t, c.Column)
	if err != nil {
		return nil, err
	}
	if c.Op == db.In {
		return oneOf(t, i, c.Value)
	}
	holds, ok := comparisons[c.Op]
	if !ok {
		return nil, fmt.Errorf("the request was not checked: no comparison %q", c.Op)
	}
	operand, err := cellOf(&t.Columns[i], c.Value)
	return func(r row) bool { return holds(compareCells(r[i], operand)) }, err
}

// oneOf is the condition "in".
func oneOf(t *db.Table, column int, list db.Value) (func(row) bool, error) {
	values, ok := list.([]any)
	if !ok {
		return nil, fmt.Errorf("the request was not checked: %T is no list", list)
	}
	cells := make(map[any]bool, len(values))
	for _, v := range values {
		cell, err := cellOf(&t.Columns[column], v)
		if err != nil {
			return nil, err
		}
		cells[cell] = true
	}
	return func(r row) bool { return cells[r[column]] }, nil
}

// comparisons say what has to be true of the way a cell compares with the operand.
var comparisons = map[db.Compare]func(int) bool{
	db.Eq: func(c int) bool { return c == 0 },
	db.Ne: func(c int) bool { return c != 0 },
	db.Lt: func(c int) bool { return c < 0 },
	db.Le: func(c int) bool { return c <= 0 },
	db.Gt: func(c int) bool { return c > 0 },
	db.Ge: func(c int) bool { return c >= 0 },
}
