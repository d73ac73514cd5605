package workers

import (
	"sync"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
)

// view is what the parts of a worker know of each other.
type view struct {
	State   cluster.State
	Log     replog.State    // as applied and committed
	Leads   uint64          // the epoch of which it is master, 0 for a slave
	Elected uint64          // the epoch that it leads, or tries to; 0: none
	Leader  registry.Master // the master that the newest marker read names, since the worker started
	Aside   bool            // it is cut off from the log, and another worker is not; attend's
	Full    string          // why the database has no room to write; empty: it can write
	Stuck   bool            // there are entries in the log that it has no room for
	AtEnd   bool            // it has been at the end of the log; it serves when it has read of a master there
}

// serving says whether the worker answers requests.
func (v view) serving() bool { return v.State == cluster.Serving }

// gives says whether others may copy what the worker has.
func (v view) gives() bool { return v.serving() || v.State == cluster.Deleted }

// electable says whether the worker may become master: it has been at the end of the log, and can
// write and be heard.
func (v view) electable() bool { return v.serving() && v.Elected == 0 && !v.Aside && v.Full == "" }

// status holds the view. Only the replica changes it, but for Aside; everybody may wait for changes.
type status struct {
	mu     sync.Mutex
	view   view
	moved  chan struct{} // closed and replaced when anything changes
	turned chan struct{} // the same, but for more than the position and who leads
}

func newStatus() *status {
	return &status{
		view:   view{State: cluster.Following},
		moved:  make(chan struct{}),
		turned: make(chan struct{}),
	}
}

func (s *status) now() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

// progress returns the view and a channel that is closed when it changes in any way.
func (s *status) progress() (view, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view, s.moved
}

// turn returns the view and a channel that is closed when more than the position changes.
func (s *status) turn() (view, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view, s.turned
}

// update changes the view.
func (s *status) update(change func(*view)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.view
	change(&s.view)
	if s.view == before {
		return
	}
	close(s.moved)
	s.moved = make(chan struct{})
	log := before.Log.LogID
	before.Log, before.Elected, before.Leader = s.view.Log, s.view.Elected, s.view.Leader
	before.Log.LogID = log
	if s.view != before {
		close(s.turned)
		s.turned = make(chan struct{})
	}
}
