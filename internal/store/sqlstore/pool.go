package sqlstore

import (
	"context"
	"database/sql"
)

// pool lends connections. Who takes one gives it back, dropped where its state is not known.
type pool chan *conn

func (s *Store) newPool(db *sql.DB, n int) pool {
	p := make(pool, n)
	for range n {
		p <- s.newConn(db)
	}
	return p
}

func (s *Store) newConn(db *sql.DB) *conn {
	c := &conn{dialect: &s.dialect, db: db}
	s.conns = append(s.conns, c)
	return c
}

func (p pool) take(ctx context.Context) (*conn, error) {
	select {
	case c := <-p:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pool) give(c *conn) { p <- c }
