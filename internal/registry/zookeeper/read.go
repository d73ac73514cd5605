package zookeeper

import (
	"context"
	"errors"

	"github.com/go-zookeeper/zk"
)

// node is a node as it was read.
type node struct {
	data []byte
	stat zk.Stat
}

// get reads a node; zk.ErrNoNode: there is none.
func get(ctx context.Context, l *link, path string) (node, error) {
	return ask(ctx, l, func(c *zk.Conn) (node, error) {
		data, stat, err := c.Get(path)
		if err != nil {
			return node{}, err
		}
		return node{data, *stat}, nil
	})
}

// find is get for a node that need not be there.
func find(ctx context.Context, l *link, path string) (n node, found bool, err error) {
	n, err = get(ctx, l, path)
	if errors.Is(err, zk.ErrNoNode) {
		return node{}, false, nil
	}
	return n, err == nil, err
}

// exists is find for a node that need not be readable. Newer servers do not even say that it is
// there without the permission to read it.
func exists(ctx context.Context, l *link, path string) (bool, error) {
	return ask(ctx, l, func(c *zk.Conn) (bool, error) {
		found, _, err := c.Exists(path)
		if errors.Is(err, zk.ErrNoAuth) {
			return true, nil
		}
		return found, err
	})
}

// multi does all of it or nothing; the error is that of the first that could not be done.
func multi(ctx context.Context, l *link, ops ...any) error {
	_, err := ask(ctx, l, func(c *zk.Conn) (struct{}, error) {
		_, err := c.Multi(ops...)
		return struct{}{}, err
	})
	return err
}

// owned reports whether the node belongs to the present session of the link.
func (n node) owned(l *link) bool {
	return n.stat.EphemeralOwner != 0 && n.stat.EphemeralOwner == l.conn.SessionID()
}

// errLasting is wrong with a node that should vanish with its session.
var errLasting = errors.New("it belongs to no session")

// ephemeral decodes a node that must belong to a session.
func ephemeral[T any](n node, decode func([]byte) (T, error)) (T, error) {
	if n.stat.EphemeralOwner == 0 {
		var none T
		return none, errLasting
	}
	return decode(n.data)
}

// skip logs that a node cannot be read, once for each version of it.
func (s *Session) skip(path string, n node, why error) {
	s.mu.Lock()
	known := s.skipped[path] == n.stat.Mzxid
	if len(s.skipped) > 1000 { // somebody makes them faster than anybody reads the log
		clear(s.skipped)
	}
	s.skipped[path] = n.stat.Mzxid
	s.mu.Unlock()
	if !known {
		s.log.Warn("a node of the registry is skipped", "node", path, "why", why)
	}
}
