// Package replog is the sync log: one totally ordered sequence of records which every replica
// folds the same way. The log is the truth about what was written and about who is master.
//
// DESIGN.md beside this file says why it is safe. The implementations of Log are memory (one
// process) and rabbitmq (a stream); replogtest is their suite.
package replog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"rideshare/internal/db"
)

var (
	// ErrUnavailable: the log cannot be reached. An append may or may not have taken place.
	ErrUnavailable = errors.New("replog: unavailable")
	// ErrLost: the log has no record at the offset asked for: it was truncated, is shorter, or is
	// another one.
	ErrLost = errors.New("replog: offset is not in the log")
	// ErrClosed: this end of the log was closed.
	ErrClosed = errors.New("replog: closed")
	// ErrForeign: the log holds a history that does not go on from the replica's database. The
	// replica has to be rebuilt from a snapshot.
	ErrForeign = errors.New("replog: the log does not continue this database")
	// ErrCorrupt: the chain of entries is broken. The replica has to be rebuilt from a snapshot.
	ErrCorrupt = errors.New("replog: broken chain")
)

// Log is one connection to the log. Its methods may be called concurrently.
type Log interface {
	// Append adds a record at the end. Nil means that the log has it, which does not mean that
	// it is valid. Any error means that it may or may not be there, now or later: who has to
	// know reads it back, and may append the identical bytes again.
	Append(ctx context.Context, data []byte) error
	// Open attaches a reader at an offset, inclusive, or at the Oldest record that is left.
	// ErrLost where the implementation can tell that there is no record at the offset: a caller
	// checks what it reads all the same.
	Open(ctx context.Context, from Offset) (Reader, error)
	// Close ends the connection and its readers.
	Close() error
}

// Oldest stands for the offset of the oldest record that the log still has.
const Oldest Offset = -1

// Reader is an attachment to the log. It is not for concurrent use.
type Reader interface {
	// Next waits for records and returns one or more in their order. After the error of ctx it may
	// be called again; after any other error the reader is of no more use.
	Next(ctx context.Context) ([]Raw, error)
	// GiveUp says that the reader does not read what it should. The reader is of no more use, and
	// the next one is attached elsewhere where there is a choice.
	GiveUp()
	Close() error
}

// Raw is a record as the log holds it. The bytes must not be changed.
type Raw struct {
	Offset Offset
	Data   []byte
}

// Decode reads the bytes of a record. Its ops are checked against the schema and typed.
func Decode(data []byte) (*Record, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("replog: unreadable record: %w", err)
	}
	for i := range r.Txs {
		if len(r.Txs[i].Ops) == 0 {
			continue
		}
		w := db.Write{Ops: r.Txs[i].Ops}
		if err := w.Check(); err != nil {
			return nil, fmt.Errorf("replog: unreadable record: txs[%d]: %w", i, err)
		}
	}
	return &r, nil
}
