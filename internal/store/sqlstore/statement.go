package sqlstore

import (
	"context"
	"database/sql"
)

// statement is one statement, and what is to become of its result.
type statement struct {
	text string
	args []any
	once bool                  // it is not worth preparing, or cannot be; it has no args
	rows *int64                // gets the number of rows that it inserted or matched
	each func(*sql.Rows) error // gets every row that it returns; nil: it returns none
	then func() error          // is called after it; what it refuses ends the run
}

// control is a statement that has no parameters and is not worth preparing, or cannot be.
func control(text string) statement { return statement{text: text, once: true} }

// run runs statements in their order until one fails. Where the dialect has scripts they go to the
// database together, so that what follows a failed then may have been executed all the same.
func (c *conn) run(ctx context.Context, list ...statement) error {
	if c.dialect.Script != nil {
		return c.runScripts(ctx, list)
	}
	for _, s := range list {
		if err := c.runPrepared(ctx, s); err != nil {
			return err
		}
		if s.then == nil {
			continue
		}
		if err := s.then(); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) runPrepared(ctx context.Context, s statement) error {
	switch {
	case s.once:
		return c.control(ctx, s.text)
	case s.each != nil:
		return c.query(ctx, s.text, s.args, s.each)
	default:
		n, err := c.exec(ctx, s.text, s.args...)
		if s.rows != nil {
			*s.rows = n
		}
		return err
	}
}
