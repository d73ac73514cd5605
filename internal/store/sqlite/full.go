package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rideshare/internal/store"
)

// explainFull marks an error as store.ErrFull if the disk that holds dir is full.
func explainFull(dir string, err error) error {
	if errors.Is(err, store.ErrFull) || !isFull(dir, err) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrFull, err)
}

// isFull reports whether err comes from a full disk. SQLite has a code for it, which it gives only
// where a plain write fails with ENOSPC. A quota, a sync, or a file that cannot grow for the shared
// memory gets a code that a broken disk gets too; there a write of our own tells the two apart.
func isFull(dir string, err error) bool {
	if noSpace(err) {
		return true
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case sqlite3.SQLITE_FULL:
		return true
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC,
		sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE,
		sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_CANTOPEN:
		return noSpace(tryWrite(dir))
	default:
		return false
	}
}

func noSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// tryWrite writes and removes as much as SQLite's smallest growth of a file, 32 KiB.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, "room-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 32<<10))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}
