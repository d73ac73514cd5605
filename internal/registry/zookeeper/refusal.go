package zookeeper

import (
	"context"
	"time"
)

// refusal counts how often the server took a connection and ended it without an answer. It does so
// while it starts, while an ensemble has no quorum, and for ever after it has lost its data: to a
// client that has seen a later state than the server's own it says nothing. The library would try
// again and again, with the same session.
type refusal struct {
	answered bool      // the present connection got an answer
	refusals int       // since the last session
	silences int       // those of them on which the server let the time for its first answer pass
	since    time.Time // of the first refusal
}

func (r *refusal) refuse(now time.Time) {
	if r.refusals == 0 {
		r.since = now
	}
	r.refusals++
}

// refusedFor returns how many connections have been refused, and for how long.
func (l *link) refusedFor() (int, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusals == 0 {
		return 0, 0
	}
	return l.refusals, time.Since(l.since)
}

// replace looks whether the server gives a new session while it refuses the old one, and then goes
// on with the new one. Nothing else proves that the old one has no future: it must not be given up
// while the server is only down, since the server knows it when it is back.
func (s *Session) replace(ctx context.Context, old *link) {
	servers := len(s.config.Servers)
	refused, d := old.refusedFor()
	if refused < 3*servers || d < s.config.SessionTimeout {
		return
	}
	fresh, err := s.connect()
	if err != nil {
		return // the configuration was good at Open: there is nothing to say
	}
	ctx, cancel := context.WithTimeout(ctx, 2*s.config.SessionTimeout)
	defer cancel()
	if fresh.until(ctx, func(v view) bool { return v.up }) {
		before, _ := old.refusedFor()
		old.until(ctx, func(v view) bool {
			refused, _ = old.refusedFor()
			return v.up || refused >= before+2*servers
		})
		if refused >= before+2*servers && !old.view().up {
			s.swap(old, fresh)
			return
		}
	}
	fresh.close()
	old.set(func() { old.refusals, old.silences = 0, 0 }) // gather evidence anew
}

// until waits until the condition holds, or ctx ends.
func (l *link) until(ctx context.Context, holds func(view) bool) bool {
	for {
		v := l.view()
		if holds(v) {
			return true
		}
		select {
		case <-v.changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (s *Session) swap(old, fresh *link) {
	s.mu.Lock()
	s.link = fresh
	s.mu.Unlock()
	s.log.Warn("the registry has lost its data, and refuses the session: a new one begins")
	old.close()
	s.wake()
}
