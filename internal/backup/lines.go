package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"rideshare/internal/db"
)

// maxLine bounds a line: the longest is a stored reply in a snapshot, in base64.
const maxLine = 64 << 20

// sums are the SHA-256 of all lines, and of those of the tables.
type sums struct{ all, content hash.Hash }

func newSums() sums { return sums{sha256.New(), sha256.New()} }

// aside adds a line that is not a table's. A hash takes everything.
func (s sums) aside(line []byte) { s.all.Write(line) }

// add adds a line of a table.
func (s sums) add(line []byte) {
	s.all.Write(line)
	s.content.Write(line)
}

func (s sums) trailer(rows int64) Trailer {
	return Trailer{Rows: rows, Content: fmt.Sprintf("%x", s.content.Sum(nil)), Sum: fmt.Sprintf("%x", s.all.Sum(nil))}
}

// lines reads lines, and sums up those that were taken.
type lines struct {
	sums
	in  *bufio.Reader
	buf []byte
}

func newLines(r io.Reader) *lines {
	return &lines{sums: newSums(), in: bufio.NewReaderSize(r, 64<<10)}
}

// aside takes a line that is not a table's, and decodes it.
func (l *lines) aside(what string, into any) error {
	line, err := l.take()
	if err != nil {
		return err
	}
	l.sums.aside(line)
	if err := json.Unmarshal(line, into); err != nil {
		return bad("a line should be %s: %w", what, err)
	}
	return nil
}

// next takes a line of a table, with its end. It is valid until the next call.
func (l *lines) next() ([]byte, error) {
	line, err := l.take()
	if err == nil {
		l.add(line)
	}
	return line, err
}

// take takes a line, and leaves it out of the sums. It is valid until the next call.
func (l *lines) take() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return l.buf, nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, bad("it is cut short")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("backup: %w", err)
		case len(l.buf) > maxLine:
			return nil, bad("a line is longer than %d bytes", maxLine)
		}
	}
}

// atRow reports whether the next line is a row.
func (l *lines) atRow() bool {
	first, err := l.in.Peek(1)
	return err == nil && first[0] == '['
}

// table takes the line that begins the table.
func (l *lines) table(t *db.Table) ([]byte, error) {
	line, err := l.next()
	if err != nil {
		return nil, err
	}
	text, err := encodeTable(t)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(line, text) {
		return nil, bad("a line should be %s", bytes.TrimSpace(text))
	}
	return line, nil
}

// last takes a line that is not summed up, and checks that nothing follows.
func (l *lines) last(into any) error {
	line, err := l.take()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, into); err != nil {
		return bad("its last line: %w", err)
	}
	switch _, err := l.in.Peek(1); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("backup: %w", err)
	default:
		return bad("it goes on after its end")
	}
}
