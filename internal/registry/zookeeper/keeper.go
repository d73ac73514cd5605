package zookeeper

import (
	"context"
	"errors"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	idle  = 5 * time.Second        // how long the keeper sleeps when nobody wakes it
	retry = time.Second            // between tries to prepare the nodes
	soon  = 50 * time.Millisecond  // between looks at what is in doubt
	aLot  = 250 * time.Millisecond // between looks at a server that is not there
)

// keep does what must be done when no call is under way, until ctx ends. One goroutine does it all,
// one thing after another.
func (s *Session) keep(ctx context.Context) {
	var seen sighting
	for ctx.Err() == nil {
		timer := time.NewTimer(s.tend(ctx, &seen))
		select {
		case <-s.poke:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// sighting is what the keeper saw last.
type sighting struct {
	link     *link
	sessions int
	up       bool
}

// tend looks at everything once, and returns when to look again at the latest.
func (s *Session) tend(ctx context.Context, seen *sighting) time.Duration {
	l := s.current()
	v := l.view()
	if !v.up {
		if seen.up {
			s.log.Warn("the registry cannot be reached")
			s.config.Observe(false)
			seen.up = false
		}
		s.replace(ctx, l)
		return aLot
	}
	if !v.prepared {
		if err := s.prepare(ctx, l); err != nil {
			return retry
		}
	}
	anew := seen.link != l || seen.sessions != v.sessions
	if anew || !seen.up {
		s.log.Info("the registry is there")
		s.config.Observe(true)
	}
	seen.link, seen.sessions, seen.up = l, v.sessions, true
	if !s.watched() {
		return s.settle(ctx, l)
	}
	err := s.rearm(ctx, l)
	if l.takeUnseen() || anew {
		s.notify()
	}
	if err != nil {
		return retry
	}
	return s.settle(ctx, l)
}

// prepare logs in, and makes the nodes that are always there.
func (s *Session) prepare(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(ctx, 5*s.config.SessionTimeout)
	defer cancel()
	err := s.login(ctx, l)
	if err == nil {
		err = s.lay(ctx, l)
	}
	if errors.Is(err, zk.ErrNoAuth) {
		err = ErrDenied
	}
	switch {
	case err == nil:
		l.set(func() { l.prepared, l.refused = true, nil })
	case errors.Is(err, ErrDenied), errors.Is(err, ErrOpen):
		if l.view().refused == nil {
			s.log.Error("the registry cannot be used", "why", err)
		}
		l.set(func() { l.refused = err }) // callers need not wait
	default:
		s.log.Debug("preparing", "why", err)
	}
	return err
}

// login gives the server user and password, once: the library repeats them with every connection,
// before any other request.
func (s *Session) login(ctx context.Context, l *link) error {
	if s.config.User == "" || l.loggedIn {
		return nil
	}
	_, err := ask(ctx, l, func(c *zk.Conn) (struct{}, error) {
		return struct{}{}, c.AddAuth("digest", []byte(s.config.User+":"+s.config.Password))
	})
	l.loggedIn = err == nil
	return err
}
