package sqlstore

import (
	"context"
	"errors"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

// view is a snapshot of the database on a connection of its own.
type view struct {
	conn   *conn
	state  replog.State
	schema int
}

// loadStateWith is loadState, and refuses a database that has not the schema yet which is needed.
func (v *view) loadStateWith(schema *int) statement {
	state := v.loadState()
	state.then = func() error {
		if v.schema < *schema {
			return db.Errorf(db.Unavailable, "the database has schema %d yet, and this needs %d", v.schema, *schema)
		}
		return nil
	}
	return state
}

// view calls fn with a snapshot. Reading the state first is also what makes a database take it that
// does so with the first query.
func (s *Store) view(ctx context.Context, fn func(context.Context, *view) error) error {
	return s.lend(ctx, func(ctx context.Context, v *view) error {
		if err := v.conn.run(ctx, control(s.dialect.BeginRead), v.loadState()); err != nil {
			return err
		}
		if err := fn(ctx, v); err != nil {
			return err
		}
		return v.conn.control(ctx, commit)
	})
}

// glance returns the state and the schema version alone: a single query needs no transaction.
func (s *Store) glance(ctx context.Context) (view, error) {
	var seen view
	err := s.lend(ctx, func(ctx context.Context, v *view) error {
		err := v.conn.run(ctx, v.loadState())
		seen = *v
		return err
	})
	return seen, err
}

// lend calls fn with a connection for reads, and ends what fn has left open on it.
func (s *Store) lend(ctx context.Context, fn func(context.Context, *view) error) error {
	ctx, done := s.call(ctx)
	defer done()
	from, gone := s.readers, s.Intact() != nil
	if gone {
		from = s.writer // another connection may not be open, and cannot be opened any more
	}
	c, err := from.take(ctx)
	if err != nil {
		return s.fault(ctx, err)
	}
	defer from.give(c)
	err = fn(ctx, &view{conn: c})
	switch {
	case err == nil:
	case gone: // no connection could take the place of this one, whatever has happened to it
		_ = c.control(context.WithoutCancel(ctx), rollback) // where nothing has begun there is nothing to end
	case broken(err), c.control(ctx, rollback) != nil:
		c.drop()
	}
	return s.fault(ctx, err)
}

// broken reports whether after err the state of the connection is unknown.
func broken(err error) bool {
	var refused *db.Error
	return err != nil && !errors.As(err, &refused)
}
