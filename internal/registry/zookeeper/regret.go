package zookeeper

import (
	"context"
	"slices"
	"time"

	"github.com/go-zookeeper/zk"
)

// settle undoes what is regretted, and returns when to look again. A session that has ended has
// taken it along.
func (s *Session) settle(ctx context.Context, l *link) time.Duration {
	s.mu.Lock()
	open := slices.Clone(s.regrets)
	s.mu.Unlock()
	if len(open) == 0 {
		return idle
	}
	for _, r := range open {
		if r.settled() && s.undo(ctx, l, r.nonce) == nil {
			s.mu.Lock()
			s.regrets = slices.DeleteFunc(s.regrets, func(other regret) bool { return other.nonce == r.nonce })
			s.mu.Unlock()
		}
	}
	return soon
}

// settled reports whether nothing more can come of the request.
func (r regret) settled() bool {
	if r.done == nil {
		return true
	}
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// undo removes the master with that nonce.
func (s *Session) undo(ctx context.Context, l *link, nonce string) error {
	_, err := ask(ctx, l, func(c *zk.Conn) (string, error) { return c.Sync(s.nodes.root) })
	if err != nil {
		return err
	}
	t, err := s.throne(ctx, l)
	if err != nil || !t.taken || t.master.Nonce != nonce {
		return err
	}
	return multi(ctx, l, s.vacate(t)...)
}
