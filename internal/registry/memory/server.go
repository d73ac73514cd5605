// Package memory is a registry within one process, for the one-process mode and for tests that cut
// its sessions off. Everything happens under one mutex, so that it is linearizable.
package memory

import (
	"cmp"
	"sync"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

// Options are the options of NewServer.
type Options struct {
	// SessionTimeout is how long the server keeps what belongs to a session that it does not hear
	// of; 1 s where 0.
	SessionTimeout time.Duration
}

// Server is the registry itself, to which sessions connect.
type Server struct {
	timeout time.Duration

	mu       sync.Mutex // guards everything below, and the sessions
	down     bool
	sessions map[*Session]struct{} // those that are open, or still own something
	members  map[string]member
	master   *mastership // nil: none
	leader   *leadership // nil: none
	epoch    uint64      // the latest
	config   registry.Config
	version  int64
	history  []cluster.Record
}

// lease is one life of a session: what it owns vanishes when it ends.
type lease struct {
	timer   *time.Timer // ends it; nil while the server hears of the session, or is down itself
	silence int         // number of the silence that timer measures
}

type member struct {
	registry.Member
	owner *lease
}

type mastership struct {
	registry.Master
	owner *lease
}

type leadership struct {
	watcher string
	owner   *lease
}

// NewServer returns an empty registry.
func NewServer(o Options) *Server {
	return &Server{
		timeout:  cmp.Or(o.SessionTimeout, time.Second),
		sessions: map[*Session]struct{}{},
		members:  map[string]member{},
	}
}

// Connect returns a new session. It can be made while the server is down.
func (s *Server) Connect() *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := &Session{server: s, watches: map[chan struct{}]func() bool{}}
	s.sessions[session] = struct{}{}
	return session
}

// SetAvailable stops the server, or starts it again with all it knew. While it is down calls return
// registry.ErrUnavailable and no session times out; when it starts, every session has the whole
// time-out to be heard of.
func (s *Server) SetAvailable(up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = !up
	for session := range s.sessions {
		session.setTimer()
		session.notify()
	}
}

// changed notifies everybody who watches.
func (s *Server) changed() {
	for session := range s.sessions {
		session.notify()
	}
}

// end removes what belongs to a lease.
func (s *Server) end(l *lease) {
	changed := false
	for id, m := range s.members {
		if m.owner == l {
			delete(s.members, id)
			changed = true
		}
	}
	if s.master != nil && s.master.owner == l {
		s.master = nil
		changed = true
	}
	if s.leader != nil && s.leader.owner == l {
		s.leader = nil
		changed = true
	}
	if changed {
		s.changed()
	}
}
