package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"

	"rideshare/internal/store"
)

// conn is a connection with its prepared statements. Everything but run is for statements that are
// run one by one. It opens itself when it is first used, and
// again after it was dropped.
//
// Its user iterates over at most one sql.Rows at a time, and runs no other statement meanwhile.
type conn struct {
	dialect *Dialect
	db      *sql.DB

	// mu keeps close away from a statement that is being started: a sql.Conn may not be closed
	// while another goroutine is on its way into it. Rows are read without it, as the caller may
	// block between two of them; they may be closed meanwhile.
	mu     sync.Mutex
	raw    *sql.Conn
	stmts  *stmtCache
	rows   *sql.Rows // the last ones, mostly closed
	closed bool
}

// control runs a statement that has no parameters and is not worth preparing, or cannot be.
func (c *conn) control(ctx context.Context, query string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(ctx); err != nil {
		return err
	}
	if _, err := c.raw.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// exec runs a statement and returns the number of rows that it inserted or matched.
func (c *conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement that returns rows, and calls each for every one of them.
func (c *conn) query(ctx context.Context, query string, args []any, each func(*sql.Rows) error) error {
	rows, err := c.start(ctx, query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what was wrong
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *conn) start(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err == nil {
		c.rows = rows
	}
	return rows, err
}

func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	if stmt, ok := c.stmts.get(query); ok {
		return stmt, nil
	}
	stmt, err := c.raw.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	return stmt, c.stmts.add(query, stmt)
}

func (c *conn) open(ctx context.Context) error {
	if c.closed {
		return store.ErrClosed
	}
	if c.raw != nil {
		return nil
	}
	raw, err := c.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.raw, c.stmts = raw, newStmtCache()
	return nil
}

// reset ends what a failed run has left open, and reports whether it can: otherwise the connection
// is dropped.
func (c *conn) reset(ctx context.Context) bool {
	c.mu.Lock()
	open := c.raw != nil
	c.mu.Unlock()
	if open && c.control(ctx, rollback) == nil {
		return true
	}
	c.drop()
	return false
}

// drop closes the connection, which undoes what it has not committed. The next use opens another.
func (c *conn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw == nil {
		return
	}
	if c.rows != nil {
		_ = c.rows.Close()
	}
	// database/sql does not close the statements of a sql.Conn with it, and SQLite keeps the file,
	// with its locks, as long as there is one.
	c.stmts.close()
	// It closes a connection, instead of handing it to the next user, when told that it is bad.
	// The error returned is that one again.
	_ = c.raw.Raw(func(any) error { return driver.ErrBadConn })
	c.raw, c.stmts, c.rows = nil, nil, nil
}

// close drops the connection for good.
func (c *conn) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.drop()
}
