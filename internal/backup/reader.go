package backup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"rideshare/internal/db"
)

// Reader reads a backup. What it gives is to be trusted only after Read has returned nil.
type Reader struct {
	Header Header
	in     *lines
	older  *older // nil: the content is that of the backup's own schema
}

// NewReader reads the header. ErrBad where it is none, or one of a newer program.
func NewReader(r io.Reader) (*Reader, error) {
	out := &Reader{in: newLines(r)}
	if err := out.in.aside("the header", &out.Header); err != nil {
		return nil, err
	}
	return out, out.Header.check()
}

// Read reads the rest. It calls row with each row as the insert that makes it, in an order in which
// they can be executed, and at the end sequences; a function may be nil. ErrBad, or what the
// functions return.
func (r *Reader) Read(row func(db.Op) error, sequences func(db.Sequences) error) (Trailer, error) {
	var rows int64
	for _, t := range db.TablesAt(r.Header.Schema) {
		n, err := r.table(t, row)
		if err != nil {
			return Trailer{}, err
		}
		rows += n
	}
	var s sequencesLine
	if err := r.in.aside("the sequences", &s); err != nil {
		return Trailer{}, err
	}
	if sequences != nil {
		if err := sequences(s.Sequences); err != nil {
			return Trailer{}, err
		}
	}
	var got Trailer
	if err := r.in.last(&got); err != nil {
		return Trailer{}, err
	}
	if got != r.in.trailer(rows) {
		return Trailer{}, bad("its checksum is wrong")
	}
	if r.older != nil {
		got.Content = r.older.content()
	}
	return got, nil
}

func (r *Reader) table(t *db.Table, row func(db.Op) error) (n int64, err error) {
	if _, err := r.in.table(t); err != nil {
		return 0, err
	}
	if err := r.older.begin(t); err != nil {
		return 0, err
	}
	for ; r.in.atRow(); n++ {
		line, err := r.in.next()
		if err == nil {
			err = r.older.add(line)
		}
		if err != nil {
			return 0, err
		}
		if row == nil {
			continue
		}
		op, err := insert(t, line)
		if err != nil {
			return 0, bad("row %d of %s: %w", n+1, t.Name, err)
		}
		if err := row(op); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// insert returns the insert of a row, checked against the schema. One of an older schema has no unique
// values: the master gives it new ones.
func insert(t *db.Table, line []byte) (db.Op, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var cells []any
	if err := d.Decode(&cells); err != nil {
		return db.Op{}, err
	}
	if len(cells) != len(t.Columns) {
		return db.Op{}, fmt.Errorf("it has %d values, not %d", len(cells), len(t.Columns))
	}
	op := db.Op{Insert: t.Name, Values: map[string]db.Value{}}
	for i, c := range t.Columns {
		value := cells[i]
		if number, ok := value.(json.Number); ok && c.Type == db.Time {
			micros, err := number.Int64()
			if err != nil {
				return db.Op{}, err
			}
			value = time.UnixMicro(micros).UTC()
		}
		op.Values[c.Name] = value
	}
	w := db.Write{Ops: []db.Op{op}}
	if err := w.Check(); err != nil {
		return db.Op{}, err
	}
	return w.Ops[0], nil
}
