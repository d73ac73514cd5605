package memory

import (
	"context"
	"errors"
	"slices"
	"strings"

	"rideshare/internal/db"
)

// Execute implements store.Tx. The savepoint is the data as it was.
func (t *tx) Execute(ctx context.Context, requests ...[]db.Op) ([][]db.OpResult, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	savepoint := t.data
	t.data = savepoint.clone()
	results := make([][]db.OpResult, len(requests))
	for i, ops := range requests {
		results[i] = make([]db.OpResult, len(ops))
		for j := range ops {
			n, err := t.data.execute(&ops[j])
			if err == nil {
				results[i][j].Rows = n
				continue
			}
			t.data = savepoint
			var refused *db.Error
			if errors.As(err, &refused) {
				refused.Op = &j
			} else {
				t.broken = err
			}
			return nil, err
		}
	}
	return results, nil
}

// execute executes an op and returns how many rows it inserted or matched.
func (d *data) execute(op *db.Op) (int64, error) {
	if op.Clear {
		d.clear(op.Forget)
		return 0, nil
	}
	if op.Advance != "" {
		return 0, nil // the bookkeeping has it
	}
	if op.Migrate > db.LatestMigration {
		return 0, newerSchema(op.Migrate)
	}
	if op.Migrate != 0 {
		d.migrate(max(d.schema, op.Migrate))
		return 0, nil
	}
	t, err := d.lookup(op.Insert + op.Update + op.Delete + op.Check) // exactly one is set
	if err != nil {
		return 0, err
	}
	if op.Insert != "" {
		r, err := changed(t, blank(t), op.Values)
		if err == nil && slices.Contains(r, nil) {
			err = errIncomplete
		}
		if err != nil {
			return 0, err
		}
		return 1, refusal(t, d.replace(t, nil, []row{r}))
	}
	match, err := matcher(t, op.Where)
	if err != nil {
		return 0, err
	}
	rows := d.matching(t, match)
	n := int64(len(rows))
	switch {
	case op.Update != "":
		err = d.update(t, rows, op.Set)
	case op.Delete != "":
		d.remove(t, rows)
	}
	if err == nil && op.Expect != nil && *op.Expect != n {
		err = db.Errorf(db.Expectation, "%d rows of %s matched, not %d", n, t.Name, *op.Expect)
	}
	return n, err
}

// blank returns a row that lacks all values but those that an insert may leave out.
func blank(t *db.Table) row {
	r := make(row, len(t.Columns))
	for i, c := range t.Columns {
		if c.Unique {
			r[i] = ""
		}
	}
	return r
}

var errIncomplete = errors.New("the request was not checked: an insert lacks a column")

func (d *data) update(t *db.Table, rows []row, set map[string]db.Value) error {
	updated := make([]row, len(rows))
	for i, r := range rows {
		var err error
		if updated[i], err = changed(t, r, set); err != nil {
			return err
		}
	}
	return refusal(t, d.replace(t, rows, updated))
}

// changed returns a copy of r with other values in some columns.
func changed(t *db.Table, r row, set map[string]db.Value) (row, error) {
	r = slices.Clone(r)
	for i := range t.Columns {
		c := &t.Columns[i]
		v, ok := set[c.Name]
		if !ok {
			continue
		}
		cell, err := cellOf(c, v)
		if err != nil {
			return nil, err
		}
		r[i] = cell
	}
	return r, nil
}

// refusal is the error for a broken constraint, nil for "".
func refusal(t *db.Table, broken db.Kind) error {
	switch broken {
	case db.Duplicate:
		return db.Errorf(broken, "%s has a row with this %s", t.Name, strings.Join(t.Key, " and "))
	case db.ForeignKey:
		return db.Errorf(broken, "%s", brokenReference(t))
	default:
		return nil
	}
}

func brokenReference(t *db.Table) string {
	var by []string
	for _, r := range t.References {
		by = append(by, r.Column)
	}
	others := "other rows refer to the key of " + t.Name
	if len(by) == 0 {
		return others
	}
	return "there is no row that " + strings.Join(by, " or ") + " refers to, or " + others
}
