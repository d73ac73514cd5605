package main

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// lookEvery is how often a primary that was lost is looked for.
	lookEvery = 50 * time.Millisecond
	// lookTime is how long a database may take to say what it is.
	lookTime = 500 * time.Millisecond
)

// errNoPrimary: no database takes writes now.
var errNoPrimary = errors.New("no database is the primary")

// group is one database, or the members of a group of which one is the primary.
type group struct {
	nodes   []*node
	primary atomic.Pointer[node]
	lost    chan struct{}
}

// node is one database, with a pool of connections and statements that are prepared on each of them.
type node struct {
	pool                              *sql.DB
	role                              string // the query for whether it is the primary
	createUser, create, get, upcoming *sql.Stmt
}

func openGroup(dsns []string, connections int) (*group, error) {
	g := &group{lost: make(chan struct{}, 1)}
	for _, dsn := range dsns {
		pool, err := sql.Open("mysql", dsn)
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
		n := &node{pool: pool, role: "SELECT 1"}
		if len(dsns) > 1 {
			n.role = `SELECT COUNT(*) FROM performance_schema.replication_group_members
				WHERE MEMBER_ID = @@server_uuid AND MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'`
		}
		g.nodes = append(g.nodes, n)
	}
	g.lose()
	return g, nil
}

// lose says that there is no primary any more.
func (g *group) lose() {
	g.primary.Store(nil)
	select {
	case g.lost <- struct{}{}:
	default: // it is being looked for
	}
}

// follow looks for a primary whenever there is none, until ctx ends.
func (g *group) follow(ctx context.Context) {
	for {
		select {
		case <-g.lost:
		case <-ctx.Done():
			return
		}
		for g.primary.Load() == nil {
			g.look(ctx)
			select {
			case <-time.After(lookEvery):
			case <-ctx.Done():
				return
			}
		}
	}
}

// look asks all nodes at once, and the first one that says it is the primary is it.
func (g *group) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	answers := make(chan *node, len(g.nodes))
	for _, n := range g.nodes {
		go func() {
			if !n.isPrimary(ctx) {
				n = nil
			}
			answers <- n
		}()
	}
	for range g.nodes {
		if n := <-answers; n != nil {
			g.primary.Store(n)
			return
		}
	}
}

func (n *node) isPrimary(ctx context.Context) bool {
	var is bool
	if err := n.pool.QueryRowContext(ctx, n.role).Scan(&is); err != nil || !is {
		return false
	}
	return n.create != nil || n.prepare(ctx) == nil
}

// prepare prepares the statements, which the pool repeats on each connection.
func (n *node) prepare(ctx context.Context) error {
	var errs []error
	prepare := func(query string) *sql.Stmt {
		s, err := n.pool.PrepareContext(ctx, query)
		errs = append(errs, err)
		return s
	}
	n.createUser = prepare(`INSERT INTO users (username, password_hash) VALUES (?, ?)`)
	n.get = prepare(`SELECT created_by, source, destination, departs_at, riders.username FROM rides
		LEFT JOIN riders ON riders.ride_id = rides.ride_id WHERE rides.ride_id = ? ORDER BY joined`)
	n.upcoming = prepare(`SELECT ride_id, created_by, departs_at FROM rides
		WHERE source = ? AND destination = ? AND departs_at > ? ORDER BY departs_at, ride_id`)
	create := prepare(`INSERT INTO rides (created_by, source, destination, departs_at) VALUES (?, ?, ?, ?)`)
	err := errors.Join(errs...)
	if err == nil {
		n.create = create
	}
	return err
}

// Numbers of the server's errors that are about the request. Any other ends the use of this primary.
const (
	duplicateKey    = 1062
	noReferencedRow = 1452
)

// do runs f on the primary.
func (g *group) do(f func(*node) error) error {
	n := g.primary.Load()
	if n == nil {
		return errNoPrimary
	}
	err := f(n)
	var e *mysql.MySQLError
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows), errors.Is(err, context.Canceled):
	case errors.As(err, &e) && (e.Number == duplicateKey || e.Number == noReferencedRow):
	case g.primary.CompareAndSwap(n, nil):
		g.lose()
	}
	return err
}
