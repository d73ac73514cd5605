package sqlstore

import (
	"context"
	"strings"

	"rideshare/internal/db"
)

// One savepoint holds what a call of Execute does.
const (
	savepoint = "SAVEPOINT execute_call"
	undo      = "ROLLBACK TO SAVEPOINT execute_call"
	release   = "RELEASE SAVEPOINT execute_call"
)

// Execute implements store.Tx. Inserts into one table that follow each other, also those of several
// requests, become one statement.
func (t *tx) Execute(ctx context.Context, requests ...[]db.Op) ([][]db.OpResult, error) {
	var results [][]db.OpResult
	err := t.do(ctx, func(ctx context.Context) error {
		var steps []step
		results, steps = plan(requests)
		if t.store.dialect.Script != nil {
			return t.optimistic(ctx, steps)
		}
		return t.oneByOne(ctx, steps)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// step is an op, its index within its request, and the place for its result.
type step struct {
	*db.Op
	index  int
	result *db.OpResult
}

// plan returns the places for the results, and the steps.
func plan(requests [][]db.Op) ([][]db.OpResult, []step) {
	results := make([][]db.OpResult, len(requests))
	var steps []step
	for i, ops := range requests {
		results[i] = make([]db.OpResult, len(ops))
		for j := range ops {
			if ops[j].Advance != "" {
				continue // the bookkeeping has it
			}
			steps = append(steps, step{&ops[j], j, &results[i][j]})
		}
	}
	return results, steps
}

// run returns how many of the steps, at least one, can become one statement.
func run(steps []step) int {
	n := 1
	for steps[0].Insert != "" && n < len(steps) && steps[n].Insert == steps[0].Insert {
		n++
	}
	return n
}

// oneByOne executes steps, or undoes them all.
func (t *tx) oneByOne(ctx context.Context, steps []step) error {
	if err := t.conn.control(ctx, savepoint); err != nil {
		return err
	}
	schema := t.schema
	var failure error
	for len(steps) > 0 && failure == nil {
		n := run(steps)
		failure = t.step(ctx, steps[:n])
		steps = steps[n:]
	}
	if broken(failure) {
		return failure
	}
	if failure != nil {
		t.schema = schema
		if err := t.conn.control(ctx, undo); err != nil {
			return err
		}
	}
	if err := t.conn.control(ctx, release); err != nil {
		return err
	}
	return failure
}

// step executes inserts into one table, or a single op of another kind.
func (t *tx) step(ctx context.Context, steps []step) error {
	op := steps[0]
	switch {
	case op.Insert != "":
		table, rows, err := t.insertRows(steps)
		if err != nil {
			return err
		}
		at, err := t.conn.insert(ctx, table, rows)
		if err != nil {
			return t.refuse(err, table, steps[at].index)
		}
		return nil
	case op.Clear:
		return t.conn.run(ctx, t.clear(op.Forget)...)
	case op.Migrate != 0:
		return t.migrate(ctx, op.Migrate)
	default:
		s, table, err := matching(op)
		if err == nil {
			err = t.conn.run(ctx, s)
		}
		if err != nil {
			return t.refuse(err, table, op.index)
		}
		return nil
	}
}

// insertRows returns the rows of inserts into one table, as it is in the schema of the transaction.
func (t *tx) insertRows(steps []step) (*db.Table, [][]any, error) {
	table, err := lookup(steps[0].Insert)
	if err != nil {
		return nil, nil, err
	}
	table = table.At(t.schema)
	rows := make([][]any, len(steps))
	for i, op := range steps {
		rows[i] = make([]any, len(table.Columns))
		for j, column := range table.Columns {
			v, ok := op.Values[column.Name]
			if !ok && column.Unique {
				v = "" // as in the rows from before the column was added
			}
			rows[i][j] = bind(v)
		}
		op.result.Rows = 1
	}
	return table, rows, nil
}

// matching returns the statement of an update, delete or check, which refuses a number of rows that
// was not expected.
func matching(op step) (statement, *db.Table, error) {
	table, err := lookup(op.Update + op.Delete + op.Check) // exactly one is set
	if err != nil {
		return statement{}, nil, err
	}
	s, err := matchingText(op, table)
	s.then = func() error {
		if n := op.result.Rows; op.Expect != nil && *op.Expect != n {
			return db.OpError(db.Expectation, op.index, "%d rows of %s matched, not %d", n, table.Name, *op.Expect)
		}
		return nil
	}
	return s, table, err
}

func matchingText(op step, table *db.Table) (statement, error) {
	if op.Check != "" {
		return count(table, op.Where, &op.result.Rows)
	}
	text := "DELETE FROM " + quote(table.Name)
	var args []any
	if op.Update != "" {
		var set []string
		for _, column := range table.Columns { // in this order, so that the text is always the same
			if v, ok := op.Set[column.Name]; ok {
				set, args = append(set, quote(column.Name)+" = ?"), append(args, bind(v))
			}
		}
		text = "UPDATE " + quote(table.Name) + " SET " + strings.Join(set, ", ")
	}
	clause, args, err := where(table, op.Where, args)
	return statement{text: text + clause, args: args, rows: &op.result.Rows}, err
}
