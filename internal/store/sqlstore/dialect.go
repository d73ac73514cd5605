// Package sqlstore implements store.Store over database/sql. What differs between SQLite and MySQL
// is a Dialect; everything else, and so the behaviour, is shared.
//
// Values become part of a statement's text only where the dialect has a form for them that nothing
// can break out of (Script), and identifiers come from the schema alone. Text has to compare by its bytes, and a Time is stored as microseconds since 1970 UTC, so that rows,
// their order and the checksum over them are the same in every dialect.
package sqlstore

import (
	"database/sql"

	"rideshare/internal/db"
)

// Dialect is what differs between databases.
type Dialect struct {
	// Bookkeeping are the statements that create replica_state, replica_replies and
	// replica_sequences where they are missing. They run on every opening.
	Bookkeeping []string
	// Migrations are the statements of each schema change, number 1 first. They have to be
	// idempotent.
	Migrations [][]Change
	// BeginWrite begins a transaction that writes. The statement after it must not be able to fail
	// because of another writer.
	BeginWrite string
	// BeginRead begins a snapshot. It may wait with taking it until the first query.
	BeginRead string
	// DDLCommits says that a migration commits what came before it in its transaction.
	DDLCommits bool
	// MaxRows is the number of rows of one INSERT, a power of two: a longer list of rows is cut into
	// powers of two, so that lists of all lengths need only a few prepared statements.
	MaxRows int
	// Script is how several statements go to the database together; nil: they go one by one,
	// prepared. A savepoint has to replace the one of the same name then.
	Script *Script
	// Classify returns db.Duplicate or db.ForeignKey for an error that is the failure of such a
	// constraint and left the transaction usable, else "".
	Classify func(error) db.Kind
	// TooMuch reports whether an error says that a read takes more of the server's memory or temporary space
	// than there is; nil: that does not happen.
	TooMuch func(error) bool
	// Explain says of an error that is not the caller's what is behind it; nil: nothing to say.
	Explain func(error) error
}

// Change is a statement of a schema change.
type Change struct {
	Text string
	// Unless is a query that returns a row where the change is there already; empty: Text itself can be
	// repeated.
	Unless string
}

// Config is what a store is made of. The store owns the pools and closes them.
type Config struct {
	Dialect Dialect
	Writer  *sql.DB // gives the connection for transactions
	Reader  *sql.DB // gives those for reads; may be the same
	Readers int     // connections for reads, at least 1: the number that run at a time, beside those by key
	// Gone returns store.ErrGone when the files of the database were deleted or moved since it was
	// opened; writing says that a transaction that writes is open. nil: the store has no files.
	Gone func(writing bool) error
}
