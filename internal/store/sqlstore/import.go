package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", store.ErrBadSnapshot, fmt.Errorf(format, args...))
}

// Import implements store.Store. Before it commits it compares the snapshot's sum with that of the
// bytes it read, and with that of what is now in the database. A snapshot of a newer schema is both
// ErrBadSnapshot and ErrNewerSchema. A failure of r is returned as it is.
func (s *Store) Import(ctx context.Context, r io.Reader) error {
	t, err := s.begin(ctx, nil)
	if err != nil {
		return err
	}
	err = t.do(ctx, func(ctx context.Context) error { return t.load(ctx, newLines(r)) })
	if err == nil {
		if err := t.gone(); err != nil {
			return err
		}
		err = t.do(ctx, func(ctx context.Context) error { return t.conn.run(ctx, control(commit)) })
	}
	t.end(err == nil)
	return err
}

func (t *tx) load(ctx context.Context, in *lines) error {
	h, err := readHeader(in)
	if err != nil {
		return err
	}
	if err := t.makeRoom(ctx, h.Schema); err != nil {
		return err
	}
	var rows int64
	for _, table := range tables(h.Schema) {
		n, err := t.loadTable(ctx, in, table)
		if err != nil {
			return err
		}
		rows += n
	}
	read := trailerLine(rows, in.sum.Sum(nil))
	if err := in.expect(read); err != nil {
		return err
	}
	if err := in.end(); err != nil {
		return err
	}
	v := view{conn: t.conn, state: h.State, schema: h.Schema}
	stored, err := v.dump(ctx, io.Discard)
	if err != nil {
		return err
	}
	if !bytes.Equal(stored, read) {
		return bad("its rows are not in their only form or order")
	}
	return t.conn.run(ctx, saveState(h.State, h.Schema))
}

func readHeader(in *lines) (header, error) {
	line, err := in.next()
	if err != nil {
		return header{}, err
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return header{}, bad("the header: %w", err)
	}
	switch {
	case h.Format != formatName || h.Version != formatVersion:
		return header{}, bad("its format is %q version %d", h.Format, h.Version)
	case h.Schema > db.LatestMigration:
		return header{}, bad("%w", newerSchema(h.Schema))
	case h.Schema < 0:
		return header{}, bad("its schema version is %d", h.Schema)
	}
	return h, nil
}

// makeRoom creates the tables that the snapshot needs and empties all that are there. Those that
// the snapshot does not know stay, empty; migrations are idempotent.
func (t *tx) makeRoom(ctx context.Context, schema int) error {
	if err := t.migrate(ctx, schema); err != nil {
		return err
	}
	var list []statement
	for _, table := range slices.Backward(tables(t.schema)) {
		list = append(list, empty(table))
	}
	return t.conn.run(ctx, list...)
}

// maxBytes bounds the rows that wait to be inserted together.
const maxBytes = 1 << 20

func (t *tx) loadTable(ctx context.Context, in *lines, table *db.Table) (rows int64, err error) {
	if err := in.expect(tableLine(table)); err != nil {
		return 0, err
	}
	for {
		var batch [][]any
		for size := 0; len(batch) < t.store.dialect.MaxRows && size < maxBytes && in.atRow(); {
			line, err := in.next()
			if err != nil {
				return 0, err
			}
			row, err := parseRow(line, table)
			if err != nil {
				return 0, bad("row %d of %s: %w", rows+int64(len(batch))+1, table.Name, err)
			}
			batch, size = append(batch, row), size+len(line)
		}
		if len(batch) == 0 {
			return rows, nil
		}
		rows += int64(len(batch))
		if err := t.conn.run(ctx, t.store.dialect.inserts(insert, table, batch)...); err != nil {
			if t.store.dialect.Classify(err) != "" {
				return 0, bad("%s: %w", table.Name, err)
			}
			return 0, err
		}
	}
}
