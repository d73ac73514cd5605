package memory

import (
	"context"

	"rideshare/internal/registry"
)

// Elect implements registry.Registry.
func (s *Session) Elect(ctx context.Context, worker string, above, from uint64) (uint64, error) {
	var epoch uint64
	err := s.do(ctx, func(owner *lease) error {
		if s.server.master != nil && s.server.master.Epoch != from {
			return registry.ErrTaken
		}
		epoch = max(s.server.epoch, above) + 1
		s.server.crown(registry.Master{Worker: worker, Epoch: epoch}, owner)
		return nil
	})
	return epoch, err
}

// Reclaim implements registry.Registry.
func (s *Session) Reclaim(ctx context.Context, m registry.Master) error {
	return s.do(ctx, func(owner *lease) error {
		if s.server.master != nil || m.Epoch < s.server.epoch {
			return registry.ErrTaken
		}
		s.server.crown(m, owner)
		return nil
	})
}

func (s *Server) crown(m registry.Master, owner *lease) {
	s.epoch = m.Epoch
	s.master = &mastership{m, owner}
	s.changed()
}

// Resign implements registry.Registry.
func (s *Session) Resign(ctx context.Context, m registry.Master) error {
	return s.do(ctx, func(*lease) error {
		if s.server.master != nil && s.server.master.Master == m {
			s.server.master = nil
			s.server.changed()
		}
		return nil
	})
}

// Master implements registry.Registry.
func (s *Session) Master(ctx context.Context) (registry.Master, error) {
	var m registry.Master
	err := s.do(ctx, func(*lease) error {
		if s.server.master == nil {
			return registry.ErrNotFound
		}
		m = s.server.master.Master
		return nil
	})
	return m, err
}

// Epoch implements registry.Registry.
func (s *Session) Epoch(ctx context.Context) (uint64, error) {
	var epoch uint64
	err := s.do(ctx, func(*lease) error {
		epoch = s.server.epoch
		return nil
	})
	return epoch, err
}

// LeadWatchers implements registry.Registry. The same watcher in another session is its ghost: the
// leadership passes to this session.
func (s *Session) LeadWatchers(ctx context.Context, watcher string) error {
	return s.do(ctx, func(owner *lease) error {
		leader := s.server.leader
		if leader != nil && leader.watcher != watcher {
			return registry.ErrTaken
		}
		s.server.leader = &leadership{watcher, owner}
		if leader == nil {
			s.server.changed()
		}
		return nil
	})
}
