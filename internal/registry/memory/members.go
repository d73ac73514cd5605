package memory

import (
	"context"
	"maps"
	"slices"

	"rideshare/internal/registry"
)

// Register implements registry.Registry.
func (s *Session) Register(ctx context.Context, m registry.Member) error {
	return s.do(ctx, func(owner *lease) error {
		s.server.members[m.ID] = member{m, owner}
		s.server.changed()
		return nil
	})
}

// Members implements registry.Registry.
func (s *Session) Members(ctx context.Context) ([]registry.Member, error) {
	var all []registry.Member
	err := s.do(ctx, func(*lease) error {
		for _, id := range slices.Sorted(maps.Keys(s.server.members)) {
			all = append(all, s.server.members[id].Member)
		}
		return nil
	})
	return all, err
}

// Evict implements registry.Registry. Both nodes go in one step.
func (s *Session) Evict(ctx context.Context, worker string) error {
	return s.do(ctx, func(*lease) error {
		_, changed := s.server.members[worker]
		delete(s.server.members, worker)
		if s.server.master != nil && s.server.master.Worker == worker {
			s.server.master = nil
			changed = true
		}
		if changed {
			s.server.changed()
		}
		return nil
	})
}
