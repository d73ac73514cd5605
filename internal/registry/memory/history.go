package memory

import (
	"context"
	"slices"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

// Record implements registry.Registry.
func (s *Session) Record(ctx context.Context, r cluster.Record) error {
	return s.do(ctx, func(*lease) error {
		s.server.history = registry.AddRecord(s.server.history, r)
		return nil
	})
}

// History implements registry.Registry.
func (s *Session) History(ctx context.Context) ([]cluster.Record, error) {
	var history []cluster.Record
	err := s.do(ctx, func(*lease) error {
		history = slices.Clone(s.server.history)
		return nil
	})
	return history, err
}
