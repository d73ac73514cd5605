package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

var _ store.Store = (*Store)(nil)

// Store implements store.Store. Make one with Open.
type Store struct {
	dialect Dialect
	gone    func(writing bool) error
	writer  pool
	readers pool          // for reads that may take long, and all else but reads by key
	shared  chan *reading // reads by key that wait for a snapshot
	large   *turns        // of reads that take much of the database
	conns   []*conn
	dbs     []*sql.DB

	closing context.Context // ends when Close begins, and with it every call
	close   context.CancelFunc
	closed  sync.Once
	sharing sync.WaitGroup
}

// Open creates the bookkeeping tables where they are missing and returns the store. On an error it
// closes the pools. ErrNewerSchema: a newer program has migrated the database.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{dialect: c.Dialect, gone: c.Gone, dbs: []*sql.DB{c.Writer, c.Reader}, shared: make(chan *reading), large: newTurns()}
	if s.gone == nil {
		s.gone = func(bool) error { return nil }
	}
	s.closing, s.close = context.WithCancel(context.Background())
	s.writer = s.newPool(c.Writer, 1)
	s.readers = s.newPool(c.Reader, c.Readers)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for range sharers {
		conn := s.newConn(c.Reader)
		s.sharing.Go(func() { s.answer(conn) })
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	c, err := s.writer.take(ctx)
	if err != nil {
		return err
	}
	defer s.writer.give(c)
	var v view
	var list []statement
	for _, ddl := range s.dialect.Bookkeeping {
		list = append(list, control(ddl))
	}
	list = append(list, v.loadState())
	if err := c.run(ctx, list...); err != nil {
		return err
	}
	if v.schema > db.LatestMigration {
		return newerSchema(v.schema)
	}
	return nil
}

func newerSchema(n int) error {
	return fmt.Errorf("%w: it knows migration %d, not %d", store.ErrNewerSchema, db.LatestMigration, n)
}

// State implements store.Store.
func (s *Store) State(ctx context.Context) (replog.State, error) {
	v, err := s.glance(ctx)
	return v.state, err
}

// SchemaVersion implements store.Store.
func (s *Store) SchemaVersion(ctx context.Context) (int, error) {
	v, err := s.glance(ctx)
	return v.schema, err
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.glance(ctx)
	return err
}

// Intact implements store.Store.
func (s *Store) Intact() error { return s.gone(false) }

// Close implements store.Store. It interrupts the calls under way and waits for their statements,
// not for the calls: one may be blocked in the reader of an Import or the writer of an Export.
func (s *Store) Close() error {
	var errs []error
	s.closed.Do(func() {
		s.close()
		for _, c := range s.conns {
			c.close()
		}
		for _, pool := range s.dbs {
			errs = append(errs, pool.Close())
		}
		s.sharing.Wait()
	})
	return errors.Join(errs...)
}

// call begins a call. The context it returns ends with the store, too.
func (s *Store) call(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// fault says of an error what is behind it: drivers report an interrupted statement in many ways.
func (s *Store) fault(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case s.closing.Err() != nil:
		return store.ErrClosed
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case s.dialect.Explain != nil && broken(err):
		return s.dialect.Explain(err)
	default:
		return err
	}
}
