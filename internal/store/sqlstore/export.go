package sqlstore

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"

	"rideshare/internal/replog"
)

// Export implements store.Store. The format is the same for every dialect.
func (s *Store) Export(ctx context.Context, w io.Writer) (replog.State, error) {
	var state replog.State
	err := s.view(ctx, func(ctx context.Context, v *view) error {
		state = v.state
		buffered := bufio.NewWriterSize(w, 64<<10)
		trailer, err := v.dump(ctx, buffered)
		if err != nil {
			return err
		}
		if _, err := buffered.Write(trailer); err != nil {
			return err
		}
		return buffered.Flush()
	})
	return state, err
}

// dump writes the header and all tables and returns the trailer.
func (v *view) dump(ctx context.Context, w io.Writer) (trailer []byte, err error) {
	head, err := header{formatName, formatVersion, v.schema, v.state}.line()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	both := io.MultiWriter(w, sum)
	if _, err := both.Write(head); err != nil {
		return nil, err
	}
	rows, err := v.dumpTables(ctx, both)
	return trailerLine(rows, sum.Sum(nil)), err
}

func (v *view) dumpTables(ctx context.Context, w io.Writer) (rows int64, err error) {
	for _, t := range tables(v.schema) {
		if _, err := w.Write(tableLine(t)); err != nil {
			return 0, err
		}
		cells := newCells(t.Columns)
		var line []byte
		err := v.conn.run(ctx, statement{text: selectAll(t), each: func(r *sql.Rows) error {
			if err := r.Scan(cells...); err != nil {
				return err
			}
			rows++
			line = appendRow(line[:0], cells)
			_, err := w.Write(line)
			return err
		}})
		if err != nil {
			return 0, fmt.Errorf("export %s: %w", t.Name, err)
		}
	}
	return rows, nil
}

// Checksum implements store.Store: the SHA-256 of the schema version and of a snapshot's tables.
func (s *Store) Checksum(ctx context.Context) (replog.Hash, replog.State, error) {
	var hash replog.Hash
	var state replog.State
	err := s.view(ctx, func(ctx context.Context, v *view) error {
		state = v.state
		sum := sha256.New()
		fmt.Fprintf(sum, "{\"schema\":%d}\n", v.schema) // a hash takes everything
		_, err := v.dumpTables(ctx, sum)
		sum.Sum(hash[:0])
		return err
	})
	return hash, state, err
}
