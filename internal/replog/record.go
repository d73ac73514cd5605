package replog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"rideshare/internal/db"
)

// Kind is the kind of a record.
type Kind string

const (
	// GenesisKind begins a log, or begins it again where it has lost its end: the history before it ends with
	// Seq and Prev.
	GenesisKind Kind = "genesis"
	// MarkerKind begins an epoch and fences every master of an earlier one.
	MarkerKind Kind = "marker"
	// EntryKind is a batch of transactions.
	EntryKind Kind = "entry"
	// BarrierKind changes nothing. Who reads its own barrier back has read the log to the place
	// where the end was when it appended it.
	BarrierKind Kind = "barrier"
)

// Record is one record of the log.
type Record struct {
	Kind   Kind   `json:"kind"`
	LogID  string `json:"log,omitempty"`    // genesis: the log's id
	Epoch  uint64 `json:"epoch,omitempty"`  // genesis, marker, entry
	Seq    uint64 `json:"seq,omitempty"`    // entry: its number; genesis: that of the last entry before it
	Prev   Hash   `json:"prev,omitzero"`    // entry, genesis: State.Hash before it
	Worker string `json:"worker,omitempty"` // marker, genesis: who wrote it
	Nonce  string `json:"nonce,omitempty"`  // barrier, marker: makes it unlike any other

	At        time.Time    `json:"at,omitzero"`        // entry: the master's clock, by which stored replies age
	Sequences db.Sequences `json:"sequences,omitzero"` // entry: all sequences after it
	Txs       []Tx         `json:"txs,omitempty"`      // entry
}

// Tx is one executed write in an entry: what it does and what its caller is told. One that failed
// has a reply and no ops: its failure is as durable as a success, so that a retry gets the same
// answer.
type Tx struct {
	ID    string          `json:"id,omitempty"` // empty: the master's own, nobody asks for its reply
	Ops   []db.Op         `json:"ops,omitempty"`
	Reply json.RawMessage `json:"reply"`
}

// Hash is the SHA-256 of a record's bytes.
type Hash [sha256.Size]byte

// HashOf returns the hash of a record's bytes.
func HashOf(data []byte) Hash { return sha256.Sum256(data) }

// String returns the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return fmt.Errorf("replog: a hash has %d hex digits, not %d", 2*len(h), len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Offset is the place of a record in the log, as the log counts: it grows from record to record,
// and the first record that a log ever had is at 0.
type Offset int64

// State is what a replica knows of the log: the result of folding it up to the last valid entry.
// It is stored in the database in the same transaction as the data. The zero State is the empty
// database, which belongs to no log yet.
type State struct {
	// LogID is the log that the replica follows. Empty while it looks for a log that goes on where
	// its database ends.
	LogID string `json:"log_id"`
	Epoch uint64 `json:"epoch"` // the newest epoch
	Seq   uint64 `json:"seq"`   // the number of the last entry
	Hash  Hash   `json:"hash"`  // of the record at Offset
	// Offset is that of the last valid entry or, before the first one, of the genesis. Markers
	// after it are read again by a replica that starts here, and change nothing a second time.
	Offset Offset `json:"offset"`

	// The others say where a replica looks for its log, and are not stored.

	// Left is the log that the replica followed before it was lost.
	Left string `json:"-"`
	// Beyond: the log is still Left, and ends before the record that the replica has read last.
	Beyond bool `json:"-"`
	// Fence is the newest epoch in what is left of the log, as far as it was read.
	Fence uint64 `json:"-"`
	// Tip is the hash of the last valid entry or genesis in it; zero: none was read.
	Tip Hash `json:"-"`
}

// Position returns the state's position. Its epoch is the newest that the replica has read of.
func (s State) Position() db.Position { return db.Position{Epoch: max(s.Epoch, s.Fence), Seq: s.Seq} }

// Encode returns the bytes of a record as they go to the log.
func (r Record) Encode() []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic("replog: a record has no JSON form: " + err.Error()) // as db.Reply.Encode
	}
	return data
}
