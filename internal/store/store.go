// Package store is a replica's database: the data, and with it in the same transactions the
// replica's bookkeeping (the state of the log, the stored replies, the sequences).
//
// The implementations are sqlite and mysql, both over package sqlstore; storetest is their suite.
package store

import (
	"context"
	"errors"
	"io"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

var (
	// ErrNewerSchema: the log holds a migration that this program does not know. Upgrade it.
	ErrNewerSchema = errors.New("store: the schema is newer than this program")
	// ErrBadSnapshot: a snapshot is damaged, cut short or of another format. Nothing was changed.
	ErrBadSnapshot = errors.New("store: bad snapshot")
	// ErrDamaged: the stored data is there and cannot be read, or it is missing where it should be.
	// Trying again does not help, and nothing may delete what is left of it.
	ErrDamaged = errors.New("store: the data cannot be read")
	// ErrGone: the files that hold the data were deleted or moved while they were in use. What is
	// written to them now is lost with the process; what was written can still be read until then.
	ErrGone = errors.New("store: the files were deleted or moved while they were in use")
	// ErrFull: the database cannot write, because its disk or a quota on it is full. Reads go on, and
	// a later transaction succeeds when there is room again.
	ErrFull = errors.New("store: the disk is full")
	// ErrTooMuch: a read takes more memory or temporary space than the database has. Other reads go on, and
	// so do transactions.
	ErrTooMuch = errors.New("store: the read takes more than the database has room for")
	// ErrBusy: too many large reads wait already.
	ErrBusy = errors.New("store: too many large reads wait")
	// ErrClosed: the store was closed or killed.
	ErrClosed = errors.New("store: closed")
)

// Store is a replica's database. Reads may run at any time, also beside a transaction, of which
// they see nothing before it is committed.
type Store interface {
	// State returns the state of the log as committed.
	State(ctx context.Context) (replog.State, error)
	// SchemaVersion returns the number of the newest migration applied, 0 where there was none.
	SchemaVersion(ctx context.Context) (int, error)
	// Begin begins the transaction that writes. There is one at a time: Begin and Import wait for
	// the one under way. Replies of the ids, which are no more than db.MaxInList, costs no round trip then.
	Begin(ctx context.Context, ids ...string) (Tx, error)
	// Read executes a checked read in one snapshot. The result's position is the one of the
	// snapshot. Consistency is the caller's business. A database whose schema lacks what the read
	// names, because the migration is still to come, is an *db.Error of kind Unavailable.
	Read(ctx context.Context, r db.Read) (db.ReadResult, error)
	// Checksum returns a hash of all data, stored replies and sequences, and the state at which
	// it was taken. Two replicas at one position have the same.
	Checksum(ctx context.Context) (replog.Hash, replog.State, error)
	// Export writes a consistent snapshot of everything, state included, to w.
	Export(ctx context.Context, w io.Writer) (replog.State, error)
	// Import replaces everything by a snapshot, or changes nothing. ErrBadSnapshot; of a snapshot
	// whose schema is newer also ErrNewerSchema; an error of r as it is.
	Import(ctx context.Context, r io.Reader) error
	// Ping returns nil when the database answers.
	Ping(ctx context.Context) error
	// Intact returns nil while what is committed outlives the process, else ErrGone. It asks no
	// server. Begin, Commit and Import return ErrGone as well, and change nothing then.
	Intact() error
	// Close ends every connection. It is safe to call it twice and while calls are under way,
	// which then fail. It undoes an open transaction, and does not wait for the other end of an
	// Import or Export.
	Close() error
}

// Tx is the transaction that writes. Any error but those of kind *db.Error means that it is
// broken, and has to be rolled back; ErrFull is one of them. It is not for concurrent use.
type Tx interface {
	// Replies returns those of the stored replies that have one of the ids.
	Replies(ctx context.Context, ids []string) (map[string][]byte, error)
	// Sequences returns the sequences; the caller may change the map.
	Sequences(ctx context.Context) (db.Sequences, error)
	// Execute executes requests, each a list of checked and resolved ops, and returns the results
	// of each request's ops. Where a request fails it returns an *db.Error (Duplicate, ForeignKey
	// or Expectation, with the op's index within its request), and everything that this call did
	// is undone; the transaction goes on. A migration that is not known: ErrNewerSchema.
	//
	// Where DDL commits, as in MySQL, a migration commits what came before it in its transaction,
	// without the bookkeeping: it has to be the first that a transaction does.
	Execute(ctx context.Context, requests ...[]db.Op) ([][]db.OpResult, error)
	// Commit stores the bookkeeping and commits. When it returns nil, all is on disk. When it
	// returns an error, whether it was committed is not known. Either way the transaction is over.
	Commit(ctx context.Context, b Bookkeeping) error
	// Rollback undoes everything. It is safe to call it after Commit.
	Rollback() error
}

// ReplyLifetime is how long a stored reply is kept, by the clock of the entries' masters.
const ReplyLifetime = 24 * time.Hour

// Bookkeeping is what a replica stores with the data of one or more entries.
type Bookkeeping struct {
	State     replog.State
	Sequences db.Sequences  // nil: unchanged; otherwise all of them: one that is missing is removed
	Replies   []StoredReply // to be added
	// Expire removes the replies stored before it; zero: none. It comes from the entries, so that
	// all replicas remove the same ones at the same position.
	Expire time.Time
}

// StoredReply is the answer to a write, kept for retries.
type StoredReply struct {
	ID   string
	At   time.Time // of the entry; to the microsecond
	Body []byte
}
