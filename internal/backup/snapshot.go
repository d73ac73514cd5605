package backup

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

// Snapshot is a replica's snapshot that is being read, of which a backup is made.
type Snapshot struct {
	Schema   int
	Position db.Position

	in *lines
}

// NewSnapshot reads the beginning of what a store has exported (store.Store.Export).
func NewSnapshot(r io.Reader) (*Snapshot, error) {
	in := newLines(r)
	var h struct {
		Format  string       `json:"format"`
		Version int          `json:"version"`
		Schema  int          `json:"schema"`
		State   replog.State `json:"state"`
	}
	if err := in.aside("the header", &h); err != nil {
		return nil, err
	}
	if h.Format != "rideshare-snapshot" || h.Version != 1 || h.Schema < 1 {
		return nil, bad("the snapshot's format is %q version %d, schema %d", h.Format, h.Version, h.Schema)
	}
	if h.Schema > db.LatestMigration {
		return nil, bad("the snapshot's schema is %d, and this program knows %d", h.Schema, db.LatestMigration)
	}
	return &Snapshot{Schema: h.Schema, Position: h.State.Position(), in: in}, nil
}

// Write reads the snapshot to its end, and writes the backup. It holds no more than a row at a
// time. An error means that what was written is no backup: it has no trailer.
func (s *Snapshot) Write(w io.Writer, at time.Time, estimate int64) error {
	out := &output{sums: newSums(), w: bufio.NewWriterSize(w, 64<<10)}
	head, err := encode(Header{formatName, formatVersion, s.Schema, s.Position, at.UTC(), estimate})
	if err != nil {
		return err
	}
	if err := out.aside(head); err != nil {
		return err
	}
	rows, err := s.copy(out)
	if err != nil {
		return err
	}
	end, err := encode(out.trailer(rows))
	if err != nil {
		return err
	}
	if _, err := out.w.Write(end); err != nil {
		return err
	}
	return out.w.Flush()
}

// output writes lines, and sums them up.
type output struct {
	sums
	w *bufio.Writer
}

func (o *output) aside(line []byte) error {
	o.sums.aside(line)
	_, err := o.w.Write(line)
	return err
}

// write writes a line of a table.
func (o *output) write(line []byte) error {
	o.add(line)
	_, err := o.w.Write(line)
	return err
}

// copy copies the tables and sequences, checks the snapshot's own checksum, and returns the number
// of rows copied.
func (s *Snapshot) copy(out *output) (rows int64, err error) {
	for _, t := range db.TablesAt(s.Schema) {
		line, err := s.in.table(t)
		if err != nil {
			return 0, err
		}
		if err := out.write(line); err != nil {
			return 0, err
		}
		n, err := s.rows(out.write)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	// The bookkeeping: replies, which stay behind, and sequences.
	if _, err := s.in.next(); err != nil {
		return 0, err
	}
	replies, err := s.rows(func([]byte) error { return nil })
	if err != nil {
		return 0, err
	}
	seqs, err := s.sequences()
	if err != nil {
		return 0, err
	}
	line, err := encode(sequencesLine{seqs})
	if err != nil {
		return 0, err
	}
	if err := out.aside(line); err != nil {
		return 0, err
	}
	sum := fmt.Sprintf("%x", s.in.all.Sum(nil))
	var end struct {
		Rows int64  `json:"rows"`
		Sum  string `json:"sha256"`
	}
	if err := s.in.last(&end); err != nil {
		return 0, err
	}
	if all := rows + replies + int64(len(seqs)); end.Rows != all || end.Sum != sum {
		return 0, bad("the snapshot's checksum is wrong")
	}
	return rows, nil
}

func (s *Snapshot) rows(each func(line []byte) error) (n int64, err error) {
	for s.in.atRow() {
		line, err := s.in.next()
		if err != nil {
			return n, err
		}
		if err := each(line); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Snapshot) sequences() (db.Sequences, error) {
	if _, err := s.in.next(); err != nil {
		return nil, err
	}
	seqs := db.Sequences{}
	_, err := s.rows(func(line []byte) error {
		var name string
		var value int64
		if err := json.Unmarshal(line, &[]any{&name, &value}); err != nil {
			return bad("a sequence: %w", err)
		}
		seqs[name] = value
		return nil
	})
	return seqs, err
}
