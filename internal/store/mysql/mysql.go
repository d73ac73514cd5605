// Package mysql is the store in a MySQL server, 8.4 or newer: the database of a pair. The worker
// owns it alone: Open cuts off whoever of the same user is connected still.
//
// # What the server needs
//
// One schema, and one user with these privileges, on it alone:
//
//	GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES, DROP ON rideshare.* TO rideshare
//
// No migration needs DROP yet. The server also needs these settings. Open refuses a server that lacks the first, and
// warns of the others:
//
//	innodb_flush_log_at_trx_commit = 1   what was committed is on disk
//	innodb_doublewrite = ON              a page that was half written can be repaired
//	skip_log_bin                         the sync log is the log: a second one halves the speed
//
// # Round trips
//
// A round trip to the server costs more than most statements. So everything that belongs together
// goes in one message: begin, state and sequences; all of a batch's ops; bookkeeping and commit;
// and all of a read, from the begin to the commit. Reads by key that wait at the same time go in
// one message: they share the begin, the state and the commit. A value in a message is a decimal
// number or a hexadecimal string: no byte of it can end a literal or begin a comment, whatever the
// mode or the character set of the connection is.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"rideshare/internal/store"
	"rideshare/internal/store/sqlstore"
)

// Config says where the database is. The zero value of a field means its default.
type Config struct {
	// DSN is the address in the driver's form: "user:password@tcp(host:3306)/schema". It has to
	// name a user and a schema.
	DSN string
	// Patience is how long the server may be silent before all calls fail; 0: 2 s. A statement may
	// take as long as it needs, while the server answers others: one that deletes what has expired since
	// yesterday would be begun again by every successor, and never end.
	Patience time.Duration
	// Readers is the number of reads that run at a time, beside those by key, which share two
	// connections; 0: 4.
	Readers int
	// Logger gets the warnings about the server's settings; nil: slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Patience == 0 {
		c.Patience = 2 * time.Second
	}
	if c.Readers == 0 {
		c.Readers = 4
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Store is an open store.
type Store struct {
	*sqlstore.Store
	guard *guard
}

var _ store.Store = (*Store)(nil)

// Open opens the store. It waits for a server that is still starting, until ctx ends. Errors:
// ErrRefused, ErrSettings, store.ErrNewerSchema, store.ErrFull; of ctx, with what was wrong last.
func Open(ctx context.Context, c Config) (*Store, error) {
	c = c.withDefaults()
	g := newGuard(c)
	writing, err := newConnector(c, g, writerSettings)
	if err != nil {
		return nil, err
	}
	reading, err := newConnector(c, g, readerSettings)
	if err != nil {
		return nil, err
	}
	pinging, err := newConnector(c, nil, readerSettings)
	if err != nil {
		return nil, err
	}
	writer := sql.OpenDB(&fence{Connector: writing, user: writing.user, schema: writing.schema})
	writer.SetMaxOpenConns(1)
	if err := await(ctx, c, writer); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	g.start(sql.OpenDB(pinging))
	s, err := sqlstore.Open(ctx, sqlstore.Config{
		Dialect: dialect(g.explain), Writer: writer, Reader: sql.OpenDB(reading), Readers: c.Readers,
	})
	if err != nil {
		g.stop()
		return nil, explainFull(explainRefusal(err))
	}
	return &Store{s, g}, nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.guard.stop()
	return s.Store.Close()
}
