package mysql

import (
	"fmt"

	"rideshare/internal/store/sqlstore"
)

// table ends the statement that creates a table. The collation compares text by its code points,
// which is the order of its bytes, and does not pad: a blank at the end counts.
const table = ` ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin`

var bookkeeping = []string{
	`CREATE TABLE IF NOT EXISTS replica_state (
		id TINYINT PRIMARY KEY,
		log_id VARCHAR(255) NOT NULL, epoch BIGINT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL,
		hash VARCHAR(128) NOT NULL, log_offset BIGINT NOT NULL, schema_version INT NOT NULL
	)` + table,
	`CREATE TABLE IF NOT EXISTS replica_replies (
		id VARCHAR(255) PRIMARY KEY, at BIGINT NOT NULL, body LONGBLOB NOT NULL,
		INDEX replica_replies_at (at)
	)` + table,
	`CREATE TABLE IF NOT EXISTS replica_sequences (
		name VARCHAR(64) PRIMARY KEY, value BIGINT NOT NULL
	)` + table,
}

// Times are BIGINT: microseconds since 1970 UTC. The indexes on referring columns are for the
// cascades.
var migrations = [][]sqlstore.Change{{
	{Text: `CREATE TABLE IF NOT EXISTS users (
		username VARCHAR(128) PRIMARY KEY, password_hash VARCHAR(255) NOT NULL
	)` + table},
	{Text: `CREATE TABLE IF NOT EXISTS rides (
		ride_id BIGINT PRIMARY KEY,
		created_by VARCHAR(128) NOT NULL,
		source BIGINT NOT NULL, destination BIGINT NOT NULL, departs_at BIGINT NOT NULL,
		INDEX rides_route (source, destination, departs_at),
		INDEX rides_created_by (created_by),
		FOREIGN KEY (created_by) REFERENCES users (username) ON DELETE CASCADE
	)` + table},
	{Text: `CREATE TABLE IF NOT EXISTS riders (
		ride_id BIGINT NOT NULL,
		username VARCHAR(128) NOT NULL,
		joined BIGINT NOT NULL,
		PRIMARY KEY (ride_id, username),
		INDEX riders_username (username),
		FOREIGN KEY (ride_id) REFERENCES rides (ride_id) ON DELETE CASCADE,
		FOREIGN KEY (username) REFERENCES users (username) ON DELETE CASCADE
	)` + table},
}, {
	addColumn("users", "account", 32),
	addColumn("users", "generation", 32),
}}

// addColumn adds a column of text, which is empty in the rows that are there. MySQL cannot tell ALTER
// TABLE to leave a column alone that exists, as it does where a crash came after the statement.
func addColumn(table, column string, size int) sqlstore.Change {
	return sqlstore.Change{
		Text: fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s VARCHAR(%d) NOT NULL DEFAULT ''", table, column, size),
		Unless: fmt.Sprintf("SELECT 1 FROM information_schema.columns "+
			"WHERE table_schema = DATABASE() AND table_name = '%s' AND column_name = '%s'", table, column),
	}
}
