package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Script is how a dialect takes several statements in one message, which saves their round trips.
// Their results come in the same order; the first that fails ends the script.
type Script struct {
	// Literal appends a value to the text of a statement, in a form that cannot be mistaken for
	// anything else whatever the value is. It gets the types int, int64, uint64, string and []byte.
	Literal func(text []byte, v any) []byte
	// RowCount is the query for the number of rows that the statement before it inserted or matched.
	RowCount string
	// MaxBytes is about how long a script may be. A longer one is cut between two statements.
	MaxBytes int
}

// errCutShort: a script had fewer results than statements that return rows.
var errCutShort = errors.New("sqlstore: the results of a script end early")

// runScripts runs statements in as few scripts as possible.
func (c *conn) runScripts(ctx context.Context, list []statement) error {
	var text []byte
	first := 0
	for i, s := range list {
		var err error
		if text, err = c.appendStatement(text, s); err != nil {
			return err
		}
		if len(text) < c.dialect.Script.MaxBytes && i+1 < len(list) {
			continue
		}
		if err := c.runScript(ctx, string(text), list[first:i+1]); err != nil {
			return err
		}
		text, first = text[:0], i+1
	}
	return nil
}

// appendStatement appends a statement with its values in the place of its question marks. Nothing
// else in the text is one: identifiers come from the schema.
func (c *conn) appendStatement(text []byte, s statement) ([]byte, error) {
	args := s.args
	for i := range len(s.text) {
		if s.text[i] != '?' {
			text = append(text, s.text[i])
			continue
		}
		if len(args) == 0 {
			return nil, fmt.Errorf("sqlstore: too few values for %s", s.text)
		}
		switch v := args[0].(type) {
		case int, int64, uint64, string, []byte:
			text = c.dialect.Script.Literal(text, v)
		default:
			return nil, fmt.Errorf("the request was not checked: no column holds a %T", v)
		}
		args = args[1:]
	}
	if len(args) > 0 {
		return nil, fmt.Errorf("sqlstore: too many values for %s", s.text)
	}
	text = append(text, ';')
	if s.rows != nil {
		text = append(append(text, c.dialect.Script.RowCount...), ';')
	}
	return text, nil
}

// runScript runs a script and hands its results to its statements.
func (c *conn) runScript(ctx context.Context, text string, list []statement) error {
	rows, err := c.startScript(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // the error is that of rows.Err
	fresh := true      // the rows are those of the first result
	for _, s := range list {
		if each := s.reader(); each != nil {
			if !fresh && !rows.NextResultSet() {
				return errors.Join(rows.Err(), errCutShort)
			}
			fresh = false
			if err := drain(rows, each); err != nil {
				return err
			}
		}
		if s.then == nil {
			continue
		}
		if err := s.then(); err != nil {
			return err
		}
	}
	for rows.NextResultSet() {
		continue // what is behind the last result that anybody wants may still fail
	}
	return rows.Err()
}

// reader returns what takes the rows of the statement's result, nil where it has none.
func (s *statement) reader() func(*sql.Rows) error {
	if s.rows != nil {
		return func(r *sql.Rows) error { return r.Scan(s.rows) }
	}
	return s.each
}

func drain(rows *sql.Rows, each func(*sql.Rows) error) error {
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *conn) startScript(ctx context.Context, text string) (*sql.Rows, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	rows, err := c.raw.QueryContext(ctx, text)
	if err == nil {
		c.rows = rows
	}
	return rows, err
}
