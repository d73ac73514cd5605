package zookeeper_test

import (
	"errors"
	"time"

	"rideshare/internal/registry"
	"rideshare/internal/stopwatch"
)

// usable returns how long it takes until the session can register something new.
func (s *site) usable(r registry.Registry) time.Duration {
	s.Helper()
	watch := stopwatch.Start()
	s.eventually(r, "the session is usable", func() bool {
		return r.Register(s.Context(), registry.Member{ID: "w", PID: int(time.Now().UnixMicro())}) == nil
	})
	return watch.Took()
}

// restarted kills the server and starts it again. The session goes on with what it held. It is one of
// 10 s: the server counts from where it has read its data, and on a busy machine it may take seconds
// from there until it listens.
func restarted(s *site) {
	s.timeout = 10 * time.Second
	r := s.observer()
	m := registry.Master{Worker: "w", Epoch: 1}
	s.must(r.Register(s.Context(), registry.Member{ID: "w"}))
	s.must(r.SetConfig(s.Context(), registry.Config{Slaves: 2}, 0))
	s.elect(r, m, 0)
	before := s.owner()
	s.restart(r)
	if now := s.owner(); now != before {
		s.Errorf("the node of session %x is of session %x now", before, now)
	}
	s.wantMaster(r, m)
}

// silent leaves two connections in turn without an answer, as a server does that starts. The session outlives
// them.
func silent(s *site) {
	s.timeout = 6 * time.Second
	p := newProxy(s.T, s.server.Addr())
	r := s.open(p.Addr())
	s.must(r.Register(s.Context(), registry.Member{ID: "w"}))
	before := s.owner()
	p.Mute(2)
	d := s.usable(r)
	s.Logf("usable after %s", d.Round(time.Millisecond))
	if half := s.timeout / 2; d < half-time.Second || d > half+2*time.Second {
		s.Errorf("usable after %s, want about %s, the time for two first answers", d, half)
	}
	if now := s.owner(); now != before {
		s.Errorf("the node of session %x is of session %x now", before, now)
	}
}

// owner returns the session that has the worker's node.
func (s *site) owner() int64 {
	s.Helper()
	_, stat, err := s.raw(user, password).Get(s.root + "/workers/w")
	s.must(err)
	return stat.EphemeralOwner
}

// restart kills the server and starts it again, and looks at what callers notice of it.
func (s *site) restart(r registry.Registry) {
	s.Helper()
	changes := r.Watch(s.Context())
	s.server.Kill()
	_, err := r.Members(s.Context())
	s.want(err, registry.ErrUnavailable)
	watch := stopwatch.Start()
	_, err = r.Members(s.Context())
	s.want(err, registry.ErrUnavailable)
	if d := watch.Took(); d > 500*time.Millisecond {
		s.Errorf("the second call waits %s for a server that is known to be away", d)
	}
	for len(changes) > 0 {
		<-changes
	}
	s.server.Start()
	d := s.usable(r)
	s.Logf("usable %s after the server", d.Round(time.Millisecond))
	if d > 2*time.Second {
		s.Errorf("not usable before %s", d)
	}
	select {
	case <-changes:
	case <-time.After(patience):
		s.Error("the watch did not fire")
	}
	if c, _, err := r.Config(s.Context()); err != nil || c.Slaves != 2 {
		s.Errorf("config %v, %v", c, err)
	}
}

// paused pauses the server for three session time-outs. When it goes on it takes every session for
// dead; they begin anew.
func paused(s *site) {
	r, other := s.observer(), s.observer()
	s.elect(r, registry.Master{Worker: "w", Epoch: 1}, 0)
	s.must(other.LeadWatchers(s.Context(), "a"))
	s.server.Pause()
	pause := time.NewTimer(3 * timeout)
	watch := stopwatch.Start()
	_, err := r.Members(s.Context())
	s.want(err, registry.ErrUnavailable)
	if d := watch.Took(); d > 2*timeout+timeout/2 {
		s.Errorf("a call took %s", d)
	}
	<-pause.C
	s.server.Unpause()
	d := s.usable(r)
	s.Logf("usable %s after the pause", d.Round(time.Millisecond))
	if d > 2*time.Second {
		s.Errorf("not usable before %s", d)
	}
	m := registry.Master{Worker: "w", Epoch: 1}
	s.eventually(other, "w is master again", func() bool {
		if _, err := r.Master(s.Context()); errors.Is(err, registry.ErrNotFound) {
			s.must(r.Reclaim(s.Context(), m))
		}
		got, err := other.Master(s.Context())
		return err == nil && got == m
	})
	s.must(other.LeadWatchers(s.Context(), "a"))
}

// lostData puts an empty server in the place of the old one. It refuses whoever has seen a later
// state than its own.
func lostData(s *site) {
	p := newProxy(s.T, s.server.Addr())
	r := s.open(p.Addr())
	s.elect(r, registry.Master{Worker: "w", Epoch: 7}, 0)
	for i := range 200 {
		s.must(r.Register(s.Context(), registry.Member{ID: "w", PID: i}))
	}
	empty := newServer(s.T)
	p.Move(empty.Addr())
	d := s.usable(r)
	s.Logf("usable %s after the data was lost", d.Round(time.Millisecond))
	s.eventually(r, "the new session has what is registered", func() bool {
		all, err := r.Members(s.Context())
		return err == nil && len(all) == 1
	})
	_, err := r.Master(s.Context())
	s.want(err, registry.ErrNotFound)
	m := registry.Master{Worker: "w", Epoch: 7}
	s.must(r.Reclaim(s.Context(), m)) // the master knows the epoch, and the registry learns it
	s.wantMaster(r, m)
}
