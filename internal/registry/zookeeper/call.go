package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

// do makes a call of the interface: it runs op, and runs it again when the connection was lost, or
// when what it had read was changed before it could act on it. So op must begin by reading, and
// find out there what an earlier run has done. A call waits for the server at most as long as a
// session lasts, from when the server was lost on, and ends with ctx at the latest.
func (s *Session) do(ctx context.Context, op func(context.Context, *link) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, 5*s.config.SessionTimeout)
	defer cancel()
	err := s.run(limited, 0, nil, op)
	for try := 1; lost(err) || outdated(err) || errors.Is(err, errDead); try++ {
		err = s.run(limited, try, err, op)
	}
	return s.explain(ctx, err)
}

func (s *Session) run(ctx context.Context, try int, why error, op func(context.Context, *link) error) error {
	l, err := s.ready(ctx)
	if err != nil {
		return err
	}
	if try > 0 {
		if err := s.again(ctx, l, try, why); err != nil {
			return err
		}
	}
	return op(ctx, l)
}

// ready returns the link, once it can be used.
func (s *Session) ready(ctx context.Context) (*link, error) {
	for {
		if s.isClosed() {
			return nil, registry.ErrClosed
		}
		l := s.current()
		if err := l.await(ctx); !errors.Is(err, errDead) {
			return l, err
		}
	}
}

// again comes before another run: it brings the server up to date, which may be one that follows
// the leader at a distance, and makes the nodes that are missing.
func (s *Session) again(ctx context.Context, l *link, try int, why error) error {
	if err := sleep(ctx, pauseAfter(try)/8); err != nil {
		return err
	}
	if errors.Is(why, zk.ErrNoNode) {
		if err := s.lay(ctx, l); err != nil {
			return err
		}
	}
	_, err := ask(ctx, l, func(c *zk.Conn) (string, error) { return c.Sync(s.nodes.root) })
	return err
}

// lost reports whether the connection was lost, so that the request may or may not have been done.
func lost(err error) bool {
	return errors.Is(err, zk.ErrConnectionClosed) || errors.Is(err, zk.ErrSessionExpired) ||
		errors.Is(err, zk.ErrSessionMoved) || errors.Is(err, zk.ErrClosing) || errors.Is(err, zk.ErrNoServer)
}

// outdated reports whether a request was not done, because a node is not what it was.
func outdated(err error) bool {
	return errors.Is(err, zk.ErrBadVersion) || errors.Is(err, zk.ErrNodeExists) || errors.Is(err, zk.ErrNoNode)
}

// explain returns the error in the words of package registry.
func (s *Session) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, registry.ErrTaken), errors.Is(err, registry.ErrConflict), errors.Is(err, registry.ErrNotFound):
		return err
	case s.isClosed():
		return registry.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", registry.ErrUnavailable, ctx.Err())
	case errors.Is(err, registry.ErrUnavailable), errors.Is(err, ErrDenied), errors.Is(err, ErrOpen):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: no answer within %s", registry.ErrUnavailable, 5*s.config.SessionTimeout.Round(time.Millisecond))
	case errors.Is(err, zk.ErrNoAuth):
		return ErrDenied
	}
	return fmt.Errorf("registry: zookeeper: %w", err)
}
