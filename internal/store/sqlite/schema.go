package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rideshare/internal/db"
	"rideshare/internal/store/sqlstore"
)

// dialect returns SQLite's. Its text compares by bytes, unless told otherwise.
func dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		Bookkeeping: bookkeeping,
		Migrations:  migrations,
		BeginWrite:  "BEGIN IMMEDIATE", // takes the lock now: a later upgrade could fail
		BeginRead:   "BEGIN DEFERRED",
		MaxRows:     64,
		Classify:    classify,
	}
}

var bookkeeping = []string{
	`CREATE TABLE IF NOT EXISTS replica_state (
		id INTEGER PRIMARY KEY CHECK (id = 1),
		log_id TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
		log_offset INTEGER NOT NULL, schema_version INTEGER NOT NULL
	) STRICT`,
	`CREATE TABLE IF NOT EXISTS replica_replies (
		id TEXT PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL
	) STRICT, WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS replica_replies_at ON replica_replies (at)`,
	`CREATE TABLE IF NOT EXISTS replica_sequences (
		name TEXT PRIMARY KEY, value INTEGER NOT NULL
	) STRICT, WITHOUT ROWID`,
}

// The indexes on referring columns are for the cascades.
var migrations = [][]sqlstore.Change{{
	{Text: `CREATE TABLE IF NOT EXISTS users (
		username TEXT PRIMARY KEY, password_hash TEXT NOT NULL
	) STRICT, WITHOUT ROWID`},
	{Text: `CREATE TABLE IF NOT EXISTS rides (
		ride_id INTEGER PRIMARY KEY,
		created_by TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
		source INTEGER NOT NULL, destination INTEGER NOT NULL, departs_at INTEGER NOT NULL
	) STRICT`},
	{Text: `CREATE INDEX IF NOT EXISTS rides_route ON rides (source, destination, departs_at)`},
	{Text: `CREATE INDEX IF NOT EXISTS rides_created_by ON rides (created_by)`},
	{Text: `CREATE TABLE IF NOT EXISTS riders (
		ride_id INTEGER NOT NULL REFERENCES rides ON DELETE CASCADE,
		username TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
		joined INTEGER NOT NULL,
		PRIMARY KEY (ride_id, username)
	) STRICT, WITHOUT ROWID`},
	{Text: `CREATE INDEX IF NOT EXISTS riders_username ON riders (username)`},
}, {
	addColumn("users", "account"),
	addColumn("users", "generation"),
}}

// addColumn adds a column of text, which is empty in the rows that are there.
func addColumn(table, column string) sqlstore.Change {
	return sqlstore.Change{
		Text:   fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s TEXT NOT NULL DEFAULT ''", table, column),
		Unless: fmt.Sprintf("SELECT 1 FROM pragma_table_info('%s') WHERE name = '%s'", table, column),
	}
}

func classify(err error) db.Kind {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return db.Duplicate
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return db.ForeignKey
	default:
		return ""
	}
}
