package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// guard notices that the server is silent, and cuts its connections then, so that the calls on
// them fail. A time-out for each read could not tell a server that was paused from one that works
// on a long statement; the guard asks, on a connection of its own.
type guard struct {
	patience time.Duration
	addr     string
	running  sync.WaitGroup
	end      context.CancelFunc

	mu    sync.Mutex
	conns map[*guarded]struct{}
	why   error // of the last cut; nil after the server has answered again
}

func newGuard(c Config) *guard {
	return &guard{patience: c.Patience, conns: map[*guarded]struct{}{}, end: func() {}}
}

// guarded is a connection that the guard knows.
type guarded struct {
	net.Conn
	guard *guard
}

// Close implements net.Conn.
func (c *guarded) Close() error {
	c.guard.mu.Lock()
	delete(c.guard.conns, c)
	c.guard.mu.Unlock()
	return c.Conn.Close()
}

func (g *guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &guarded{raw, g}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}
	return c, nil
}

// start begins to ask. The guard closes the pool in the end.
func (g *guard) start(pool *sql.DB) {
	pool.SetMaxOpenConns(1)
	ctx, end := context.WithCancel(context.Background())
	g.end = end
	g.running.Go(func() {
		defer pool.Close() //nolint:errcheck // nothing was written
		// Together they stay within the patience.
		interval, timeout := g.patience/4, g.patience*3/4
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			asked, cancel := context.WithTimeout(ctx, timeout)
			err := pool.PingContext(asked)
			cancel()
			if ctx.Err() == nil {
				g.heard(err)
			}
		}
	})
}

// heard takes the answer to a ping.
func (g *guard) heard(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.why = err
	if err == nil {
		return
	}
	for c := range g.conns {
		_ = c.Conn.Close() // whoever uses it gets the error
	}
	clear(g.conns)
}

func (g *guard) stop() {
	g.end()
	g.running.Wait()
}

// explain says of an error that a connection was lost, and why.
func (g *guard) explain(err error) error {
	err = explainFull(explainRefusal(err))
	if !errors.Is(err, mysql.ErrInvalidConn) && !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	g.mu.Lock()
	why := g.why
	g.mu.Unlock()
	switch {
	case errors.Is(why, context.DeadlineExceeded):
		return fmt.Errorf("mysql: %s has not answered for %s: %w", g.addr, g.patience, err)
	case why != nil:
		return fmt.Errorf("mysql: lost the connection to %s: %w: %w", g.addr, err, why)
	default:
		return fmt.Errorf("mysql: lost the connection to %s: %w", g.addr, err)
	}
}
