package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", store.ErrBadSnapshot, fmt.Errorf(format, args...))
}

// Import implements store.Store.
func (s *Store) Import(ctx context.Context, r io.Reader) error {
	t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer t.end()
	text, err := io.ReadAll(r)
	if err != nil {
		err = fmt.Errorf("read the snapshot: %w", err)
	}
	if err := s.fault(ctx, err); err != nil {
		return err
	}
	d, err := decode(text)
	if err != nil {
		return err
	}
	return s.commit(d)
}

// decode reads a snapshot. It is lenient, but for constraints: what it has read has only one form,
// and anything else that is wrong shows in that this is not it.
func decode(text []byte) (*data, error) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	var h header
	if err := json.Unmarshal(lines[0], &h); err != nil {
		return nil, bad("the header: %w", err)
	}
	switch {
	case h.Schema > db.LatestMigration:
		return nil, bad("%w", newerSchema(h.Schema))
	case h.Schema < 0:
		return nil, bad("its schema version is %d", h.Schema)
	}
	d := newData()
	d.state, d.schema, d.oldest = h.State, h.Schema, math.MinInt64
	tables := []*db.Table{nil} // the one that rows belong to now, and those to come
	for t := range d.tables() {
		tables = append(tables, t)
	}
	for i, line := range lines[1:] {
		switch {
		case bytes.HasPrefix(line, []byte("[")) && tables[0] != nil:
			if err := d.load(tables[0], line); err != nil {
				return nil, bad("line %d: %s: %w", i+2, tables[0].Name, err)
			}
		case len(tables) > 1:
			tables = tables[1:]
		}
	}
	if !bytes.Equal(d.encode(), text) {
		return nil, bad("it is damaged, cut short or not in its only form")
	}
	return d, nil
}

// load adds the row of a line.
func (d *data) load(t *db.Table, line []byte) error {
	var values []json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil {
		return err
	}
	if len(values) != len(t.Columns) {
		return errors.New("the row has another number of columns")
	}
	r := make(row, len(values))
	for i, value := range values {
		cell, err := parseCell(t.Columns[i].Type, value)
		if err != nil {
			return err
		}
		r[i] = cell
	}
	return refusal(t, d.replace(t, nil, []row{r}))
}

func parseCell(typ db.Type, value []byte) (any, error) {
	switch typ {
	case db.Text:
		var s string
		err := json.Unmarshal(value, &s)
		return s, err
	case blob:
		var b []byte
		err := json.Unmarshal(value, &b)
		return string(b), err
	default:
		var n int64
		err := json.Unmarshal(value, &n)
		return n, err
	}
}
