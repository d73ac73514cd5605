package memory

import (
	"context"
	"time"

	"rideshare/internal/registry"
)

// Session is one end of the registry.
type Session struct {
	server *Server

	// The rest is guarded by the mutex of the server.
	lease   *lease // nil: it has ended, or not begun; the next call begins one
	cut     bool
	closed  bool
	watches map[chan struct{}]func() bool // the function lets go of the context
}

var _ registry.Registry = (*Session)(nil)

// Cut separates the session from the server, as a broken network does: calls return
// registry.ErrUnavailable, watches are silent, and what the session owns vanishes after the
// session time-out, unless Heal comes first.
func (s *Session) Cut() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.cut = true
	s.setTimer()
}

// Heal undoes Cut. A session that has timed out begins anew, without what it owned.
func (s *Session) Heal() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.cut = false
	s.setTimer()
	s.notify() // there may have been changes meanwhile
}

// Kill does what the sudden death of the process does: the server hears nothing any more, and what
// the session owns vanishes after the time-out. What goroutines of the dead process still try
// returns registry.ErrClosed.
func (s *Session) Kill() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.close()
	s.setTimer()
}

// Close implements registry.Registry. What the session owns vanishes at once, or after the session
// time-out when the server cannot be told. Closing again is no error.
func (s *Session) Close() error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	told := !s.closed && s.reachable()
	s.close()
	if told {
		s.end()
	} else {
		s.setTimer()
	}
	return nil
}

func (s *Session) close() {
	s.closed = true
	for _, forget := range s.watches {
		forget()
	}
	s.watches = nil
	if s.lease == nil {
		delete(s.server.sessions, s)
	}
}

func (s *Session) reachable() bool { return !s.cut && !s.server.down }

// do runs f within a live session and under the mutex of the server.
func (s *Session) do(ctx context.Context, f func(owner *lease) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	switch {
	case s.closed:
		return registry.ErrClosed
	case !s.reachable():
		return registry.ErrUnavailable
	}
	if s.lease == nil {
		s.lease = new(lease)
	}
	return f(s.lease)
}

// setTimer lets the time-out run while the server is up and does not hear of the session.
func (s *Session) setTimer() {
	l := s.lease
	if l == nil {
		return
	}
	runs := !s.server.down && (s.cut || s.closed)
	switch {
	case runs && l.timer == nil:
		l.silence++
		silence := l.silence
		l.timer = time.AfterFunc(s.server.timeout, func() { s.expire(l, silence) })
	case !runs && l.timer != nil:
		l.timer.Stop()
		l.timer = nil
	}
}

// expire ends the session, unless the silence ended at the moment the timer fired.
func (s *Session) expire(l *lease, silence int) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.lease == l && l.timer != nil && l.silence == silence {
		s.end()
	}
}

// end removes what the session owns. The next call, if there can be one, begins it anew.
func (s *Session) end() {
	ended := s.lease
	s.lease = nil
	if s.closed {
		delete(s.server.sessions, s)
	}
	if ended != nil {
		s.server.end(ended)
	}
}
