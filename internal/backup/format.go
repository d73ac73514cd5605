// Package backup is the format of backups: the rows that callers see, of one consistent snapshot, and
// where the sequences stand. A backup is made of a replica's snapshot, by FromSnapshot, without what
// belongs to that replica alone: its place in the log and the replies it keeps for retries.
//
// A backup is lines of JSON: a Header; for each table of its schema version a line that names it and its
// columns, then its rows as arrays in the order of the key, a time as its microseconds since 1970;
// the sequences; and a Trailer. The rows have one form only, so that two databases with the same
// content have the same Trailer.Content.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rideshare/internal/db"
)

const (
	formatName    = "rideshare-backup"
	formatVersion = 1
)

// ErrBad: a backup, or the snapshot that one is made of, is damaged, cut short, or of another format.
var ErrBad = errors.New("backup: damaged")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBad, fmt.Errorf(format, args...))
}

// Header is the first line.
type Header struct {
	Format   string      `json:"format"`
	Version  int         `json:"version"`
	Schema   int         `json:"schema"`   // the number of the newest migration applied
	Position db.Position `json:"position"` // of the snapshot
	TakenAt  time.Time   `json:"taken_at"`
	// Estimate is about how many rows there are, for a progress bar; 0: not known.
	Estimate int64 `json:"estimate,omitempty"`
}

func (h Header) check() error {
	switch {
	case h.Format != formatName || h.Version != formatVersion:
		return bad("its format is %q version %d, not %q version %d", h.Format, h.Version, formatName, formatVersion)
	case h.Schema < 0 || h.Schema > db.LatestMigration:
		return bad("its schema version is %d, and this program knows %d: use a newer one", h.Schema, db.LatestMigration)
	}
	return nil
}

// Trailer is the last line.
type Trailer struct {
	Rows    int64  `json:"rows"`
	Content string `json:"content"` // SHA-256 of the lines of the tables
	Sum     string `json:"sha256"`  // SHA-256 of all lines before it
}

// tableLine begins a table.
type tableLine struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

func encodeTable(t *db.Table) ([]byte, error) {
	line := tableLine{Table: t.Name}
	for _, c := range t.Columns {
		line.Columns = append(line.Columns, c.Name)
	}
	return encode(line)
}

// sequencesLine follows the last table.
type sequencesLine struct {
	Sequences db.Sequences `json:"sequences"`
}

func encode(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	return append(line, '\n'), err
}
