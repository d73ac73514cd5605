package db

import (
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in the history of the database: the state after the entry Seq, written by
// the master of Epoch. Seq goes on across epochs, so it alone orders positions. The zero Position
// is the empty database. Its text form is "epoch.seq".
type Position struct {
	Epoch uint64
	Seq   uint64
}

// ParsePosition reads the text form "epoch.seq". The empty string is the zero Position.
func ParsePosition(s string) (Position, error) {
	if s == "" {
		return Position{}, nil
	}
	epoch, seq, ok := strings.Cut(s, ".")
	if !ok {
		return Position{}, fmt.Errorf("position %q is not of the form epoch.seq", clip(s))
	}
	e, err := strconv.ParseUint(epoch, 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: the epoch is not a number", clip(s))
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: the sequence is not a number", clip(s))
	}
	return Position{Epoch: e, Seq: n}, nil
}

// String returns the text form "epoch.seq".
func (p Position) String() string {
	return strconv.FormatUint(p.Epoch, 10) + "." + strconv.FormatUint(p.Seq, 10)
}

// Covers reports whether a database at p holds everything that one at q holds.
func (p Position) Covers(q Position) bool { return p.Seq >= q.Seq }

// MarshalText implements encoding.TextMarshaler.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Position) UnmarshalText(text []byte) error {
	parsed, err := ParsePosition(string(text))
	*p = parsed
	return err
}

// clip shortens what came from outside before it goes into a message.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
