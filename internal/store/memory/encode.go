package memory

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

// Snapshots and checksums are those of package sqlstore, written anew: TestSameAsSQLite holds the
// two to each other, which shows more than one encoder that agrees with itself.

type header struct {
	Format  string       `json:"format"`
	Version int          `json:"version"`
	Schema  int          `json:"schema"`
	State   replog.State `json:"state"`
}

// Export implements store.Store.
func (s *Store) Export(ctx context.Context, w io.Writer) (replog.State, error) {
	d, err := s.snapshot(ctx)
	if err == nil {
		if _, err = w.Write(d.encode()); err != nil {
			err = s.fault(ctx, fmt.Errorf("export: %w", err))
		}
	}
	return d.state, err
}

// Checksum implements store.Store.
func (s *Store) Checksum(ctx context.Context) (replog.Hash, replog.State, error) {
	d, err := s.snapshot(ctx)
	if err != nil {
		return replog.Hash{}, replog.State{}, err
	}
	text, _ := d.appendTables(fmt.Appendf(nil, "{\"schema\":%d}\n", d.schema))
	return sha256.Sum256(text), d.state, nil
}

// encode returns the snapshot.
func (d *data) encode() []byte {
	head, err := json.Marshal(header{"rideshare-snapshot", 1, d.schema, d.state})
	if err != nil {
		panic("memory: a state has no JSON form: " + err.Error()) // as db.Reply.Encode
	}
	text, rows := d.appendTables(append(head, '\n'))
	return fmt.Appendf(text, "{\"rows\":%d,\"sha256\":\"%x\"}\n", rows, sha256.Sum256(text))
}

func (d *data) appendTables(text []byte) (_ []byte, rows int) {
	for t := range d.tables() {
		text = appendString(append(text, `{"table":`...), t.Name)
		text = append(text, `,"columns":[`...)
		for i, c := range t.Columns {
			text = appendString(appendComma(text, i), c.Name)
		}
		text = append(text, "]}\n"...)
		for _, r := range d.rows[t.Name].all() {
			text = append(text, '[')
			for i, cell := range r {
				text = appendCell(appendComma(text, i), &t.Columns[i], cell)
			}
			text = append(text, "]\n"...)
			rows++
		}
	}
	return text, rows
}

func appendComma(text []byte, i int) []byte {
	if i == 0 {
		return text
	}
	return append(text, ',')
}

func appendCell(text []byte, c *db.Column, cell any) []byte {
	switch v := cell.(type) {
	case int64:
		return strconv.AppendInt(text, v, 10)
	case string:
		if c.Type == blob {
			v = base64.StdEncoding.EncodeToString([]byte(v))
		}
		return appendString(text, v)
	}
	return text
}

// appendString appends a JSON string in which only what has to be is escaped.
func appendString(text []byte, s string) []byte {
	text = append(text, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			text = append(text, '\\', c)
		case c < ' ':
			text = fmt.Appendf(text, `\u%04x`, c)
		default:
			text = append(text, c)
		}
	}
	return append(text, '"')
}
