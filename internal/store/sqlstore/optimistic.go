package sqlstore

import "context"

// optimistic executes steps, or undoes them all. It sends as many as possible together. Only after
// a failure it executes them one by one, which shows whose it was: of several the first one counts,
// and a script that goes on behind a failed expectation may meet another failure first.
func (t *tx) optimistic(ctx context.Context, steps []step) error {
	before := t.schema
	err := t.together(ctx, steps)
	if err == nil || broken(err) && t.store.dialect.Classify(err) == "" {
		return err
	}
	t.schema, t.seqs = before, nil // the replies of Begin stay as they were: nothing here writes any
	if err := t.conn.control(ctx, undo); err != nil {
		return err
	}
	return t.oneByOne(ctx, steps)
}

// together executes steps in as few scripts as possible. Its savepoint takes the place of the one
// of an earlier call.
func (t *tx) together(ctx context.Context, steps []step) error {
	list := []statement{control(savepoint)}
	for len(steps) > 0 {
		first := steps[:run(steps)]
		steps = steps[len(first):]
		if change := first[0].Migrate; change != 0 {
			// It may end the transaction that the statements before it belong to.
			if err := t.conn.run(ctx, list...); err != nil {
				return err
			}
			list = nil
			if err := t.migrate(ctx, change); err != nil {
				return err
			}
			continue
		}
		more, err := t.statements(first)
		if err != nil {
			return err
		}
		list = append(list, more...)
	}
	return t.conn.run(ctx, list...)
}

// statements returns those of inserts into one table, or of a single op of another kind.
func (t *tx) statements(steps []step) ([]statement, error) {
	switch op := steps[0]; {
	case op.Insert != "":
		table, rows, err := t.insertRows(steps)
		if err != nil {
			return nil, err
		}
		return t.store.dialect.inserts(insert, table, rows), nil
	case op.Clear:
		return t.clear(op.Forget), nil
	default:
		s, _, err := matching(op)
		return []statement{s}, err
	}
}
