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

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rideshare/internal/store/sqlstore"
)

// ErrBadFile: the file is damaged, or is no database of this program. It was not changed.
var ErrBadFile = errors.New("sqlite: the file is damaged or not a RideShare database")

// Options of a store; the zero Options are for production.
type Options struct {
	// Readers is the number of reads that run at a time, beside those by key, which share two
	// connections; 0: 4. Each connection takes up to 2 MiB of memory.
	Readers int
	// Unsafe leaves out waiting for the disk: a crash of the machine, not of the process, may lose
	// what was committed. For tests.
	Unsafe bool
}

const defaultReaders = 4

// applicationID marks the file as ours: "RIDE".
const applicationID = 0x52494445

// Open opens the store in the file at path, and creates it and its folders, for this user only,
// where they are missing. Errors: ErrBadFile, store.ErrNewerSchema, or those of the file system.
func Open(ctx context.Context, path string, o Options) (*sqlstore.Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := createFile(path); err != nil {
		return nil, err
	}
	s, err := open(ctx, path, o, dialect())
	if err != nil {
		return nil, explain(path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options, d sqlstore.Dialect) (*sqlstore.Store, error) {
	if err := identify(ctx, path, o); err != nil {
		return nil, err
	}
	// The caches are in KiB. They are small, as a process may have several stores, and the system
	// caches the file as well.
	writer, err := sql.Open("sqlite", dsn(path, o, "journal_mode(WAL)", "cache_size(-2048)"))
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
	return sqlstore.Open(ctx, sqlstore.Config{Dialect: d, Writer: writer, Reader: reader, Readers: readers})
}

// minFile is the size of the smallest database in bytes. SQLite overwrites what is shorter.
const minFile = 512

// createFile creates an empty file, from which SQLite takes the mode of its other files. One that
// exists is not even opened: closing it would release the locks that this process has on it.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 && info.Size() < minFile {
		err = fmt.Errorf("%s: %w", path, ErrBadFile)
	}
	return err
}

// identify checks that the file is ours before anything is changed in it, and marks an empty one.
func identify(ctx context.Context, path string, o Options) error {
	pool, err := sql.Open("sqlite", dsn(path, o))
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }() // nothing was changed
	var id, objects int
	const query = "SELECT application_id, (SELECT COUNT(*) FROM sqlite_schema) FROM pragma_application_id"
	if err := pool.QueryRowContext(ctx, query).Scan(&id, &objects); err != nil {
		return err
	}
	switch {
	case id == applicationID:
		return nil
	case id != 0 || objects > 0:
		return ErrBadFile
	}
	_, err = pool.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}

// dsn names the file and the settings of a connection.
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
	u := url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=" + strings.Join(pragmas, "&_pragma=")}
	return u.String()
}

// explain says of SQLite's error that it is about the file.
func explain(path string, err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			err = fmt.Errorf("%w: %w", ErrBadFile, err)
		}
	}
	return fmt.Errorf("%s: %w", path, err)
}
