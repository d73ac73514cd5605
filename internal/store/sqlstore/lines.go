package sqlstore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// maxLine is the longest line of a snapshot: a stored reply in base64, which came out of a message.
const maxLine = 64 << 20

// lines reads a snapshot, and sums up the lines taken.
type lines struct {
	in  *bufio.Reader
	sum hash.Hash
	buf []byte
}

func newLines(r io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
}

// next takes a line, with its end. It is valid until the next call.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			l.sum.Write(l.buf)
			return l.buf, nil
		case errors.Is(err, io.EOF):
			return nil, bad("it is cut short")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("read the snapshot: %w", err)
		case len(l.buf) > maxLine:
			return nil, bad("a line is longer than %d bytes", maxLine)
		}
	}
}

// atRow reports whether the next line is a row. It is not at the end or where reading fails: then
// next says so.
func (l *lines) atRow() bool {
	first, err := l.in.Peek(1)
	return err == nil && first[0] == '['
}

// expect takes a line that has to be exactly this one.
func (l *lines) expect(want []byte) error {
	got, err := l.next()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return bad("a line should be %s", bytes.TrimSpace(want))
	}
	return nil
}

// end checks that nothing follows.
func (l *lines) end() error {
	_, err := l.in.Peek(1)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("read the snapshot: %w", err)
	default:
		return bad("it goes on after its end")
	}
}
