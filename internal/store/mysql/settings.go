package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
)

// oldestMajor and oldestMinor are of the oldest release that the tests run with.
const oldestMajor, oldestMinor = 8, 4

// checkSettings refuses a server that would lose what it has committed.
func checkSettings(ctx context.Context, pool *sql.DB, log *slog.Logger) error {
	var version, doublewrite string
	var flush int
	var binlog, readOnly bool
	const query = "SELECT @@version, @@innodb_flush_log_at_trx_commit, @@innodb_doublewrite, @@log_bin, @@read_only"
	row := pool.QueryRowContext(ctx, query)
	if err := row.Scan(&version, &flush, &doublewrite, &binlog, &readOnly); err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || strings.Contains(version, "MariaDB") {
		return fmt.Errorf("%w: it is %q, not MySQL", ErrSettings, version)
	}
	switch {
	case major < oldestMajor || major == oldestMajor && minor < oldestMinor:
		return fmt.Errorf("%w: it is MySQL %s, older than %d.%d", ErrSettings, version, oldestMajor, oldestMinor)
	case flush != 1:
		return fmt.Errorf("%w: innodb_flush_log_at_trx_commit is %d: set it to 1, or a crash loses what was acknowledged", ErrSettings, flush)
	case readOnly:
		return fmt.Errorf("%w: it is read-only", ErrSettings)
	}
	if strings.EqualFold(doublewrite, "OFF") {
		log.Warn("innodb_doublewrite is off: a crash of the machine may damage the database", "server", version)
	}
	if binlog {
		log.Warn("the binary log is on: start the server with --skip-log-bin, it costs a second write to disk for each commit", "server", version)
	}
	return nil
}
