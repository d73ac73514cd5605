// Package sqlite is the store in one SQLite file: the replica's database where no server runs.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rideshare/internal/store"
	"rideshare/internal/store/sqlstore"
)

// ErrBadFile: the file is damaged, empty or missing, or is no database of this program. It was not
// changed. It is a store.ErrDamaged.
var ErrBadFile = fmt.Errorf("%w: the file is damaged or not a RideShare database", store.ErrDamaged)

// Options of a store; the zero Options are for production.
type Options struct {
	// Readers is the number of reads that run at a time, beside those by key, which share two
	// connections; 0: 4. Each connection takes up to 2 MiB of memory.
	Readers int
	// Create creates the file and its folders, for this user only, where the file is missing.
	// Without it, a missing file is an ErrBadFile: there was a database, and it is gone.
	Create bool
	// Unsafe leaves out waiting for the disk: a crash of the machine, not of the process, may lose
	// what was committed. For tests.
	Unsafe bool
}

const defaultReaders = 4

// applicationID marks the file as ours: "RIDE".
const applicationID = 0x52494445

// Open opens the store in the file at path. Errors: ErrBadFile, store.ErrNewerSchema, store.ErrFull,
// or those of the file system.
func Open(ctx context.Context, path string, o Options) (*sqlstore.Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	created := false
	if o.Create {
		if created, err = createFile(path); err != nil {
			return nil, explainFull(filepath.Dir(path), err)
		}
	}
	if !created {
		if err := checkSize(path); err != nil {
			return nil, err
		}
	}
	s, err := open(ctx, path, o, dialect(), created)
	if err != nil {
		err = explain(path, err)
		if created { // an empty file would pass for a damaged one
			err = errors.Join(err, os.Remove(path))
		}
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options, d sqlstore.Dialect, created bool) (*sqlstore.Store, error) {
	if err := identify(ctx, path, o, created); err != nil {
		return nil, err
	}
	// The caches are in KiB. They are small, as a process may have several stores, and the system
	// caches the file as well. The log is moved into the file every 4,000 pages of 4 KiB, which is what
	// journal_size_limit keeps of it, and not every 1,000: a page that was written often is moved once. With that and
	// a cache of 8 MiB instead of 2, one process took 10 % more writes a second at 64 connections (2026-12-01,
	// median of six rounds in turns).
	writer, err := sql.Open("sqlite", dsn(path, o, "journal_mode(WAL)", "cache_size(-8192)", "wal_autocheckpoint(4000)"))
	if err != nil {
		return nil, err
	}
	reader, err := sql.Open("sqlite", dsn(path, o, "query_only(1)", "cache_size(-1024)"))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	readers := o.Readers
	if readers == 0 {
		readers = defaultReaders
	}
	d.Explain = func(err error) error { return explainFull(filepath.Dir(path), explainDamage(err)) }
	file, err := os.Stat(path)
	if err != nil {
		return nil, errors.Join(err, writer.Close(), reader.Close())
	}
	return sqlstore.Open(ctx, sqlstore.Config{
		Dialect: d, Writer: writer, Reader: reader, Readers: readers,
		Gone: func(writing bool) error { return gone(path, file, writing) },
	})
}

// gone returns store.ErrGone where the file at path is not the one that was opened. SQLite goes on
// without an error then, in files that nobody will find again. A transaction that writes has the
// write-ahead log open, too.
func gone(path string, opened os.FileInfo, writing bool) error {
	now, err := os.Stat(path)
	if err == nil && !os.SameFile(now, opened) {
		return fmt.Errorf("%w: %s is another file", store.ErrGone, path)
	}
	if err == nil && writing {
		_, err = os.Stat(path + "-wal")
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: %w", store.ErrGone, err)
	}
	return nil // that it cannot be looked at says nothing about it
}

// minFile is the size of the smallest database in bytes. SQLite overwrites what is shorter, and
// deletes the write-ahead log of an empty file.
const minFile = 512

// createFile creates an empty file where there is none, and reports whether it did. SQLite takes the
// mode of its other files from it. A file that exists is not even opened: closing it would release the
// locks that this process has on it.
func createFile(path string) (bool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case err == nil:
		return true, f.Close()
	case errors.Is(err, fs.ErrExist):
		return false, nil
	default:
		return false, err
	}
}

// checkSize refuses a file that is missing or too short, before SQLite makes a new database of it.
func checkSize(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s: %w: it is missing", path, ErrBadFile)
	case err != nil:
		return err
	case info.Size() < minFile:
		return fmt.Errorf("%s: %w: it has %d bytes", path, ErrBadFile, info.Size())
	default:
		return nil
	}
}

// identify checks that the file is ours before anything is changed in it, and marks one that was just
// created.
func identify(ctx context.Context, path string, o Options, created bool) error {
	pool, err := sql.Open("sqlite", dsn(path, o))
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }() // nothing was changed
	if created {
		_, err = pool.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
		return err
	}
	var id, objects int // counting the objects reads the schema
	const query = "SELECT application_id, (SELECT COUNT(*) FROM sqlite_schema) FROM pragma_application_id"
	if err := pool.QueryRowContext(ctx, query).Scan(&id, &objects); err != nil {
		return err
	}
	if id != applicationID {
		return ErrBadFile
	}
	return nil
}

// dsn names the file and the settings of a connection. No connection creates a file: one in place of
// a file that was deleted would be another database.
func dsn(path string, o Options, more ...string) string {
	synchronous := "synchronous(FULL)"
	if o.Unsafe {
		synchronous = "synchronous(OFF)"
	}
	pragmas := append([]string{
		"busy_timeout(5000)", // milliseconds
		synchronous,
		"foreign_keys(1)",
		"temp_store(MEMORY)",           // a container may have no place for temporary files
		"journal_size_limit(16777216)", // bytes: what a long read made the WAL grow to is given back
	}, more...)
	u := url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw&_pragma=" + strings.Join(pragmas, "&_pragma=")}
	return u.String()
}

// explain says of an error of opening which file it is about.
func explain(path string, err error) error {
	return fmt.Errorf("%s: %w", path, explainFull(filepath.Dir(path), explainDamage(err)))
}

// explainDamage says of SQLite's error that the file is damaged, or cannot be read.
func explainDamage(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) || errors.Is(err, ErrBadFile) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", ErrBadFile, err)
	}
	switch e.Code() {
	case sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA:
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return err
}
