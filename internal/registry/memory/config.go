package memory

import (
	"context"

	"rideshare/internal/registry"
)

// Config implements registry.Registry.
func (s *Session) Config(ctx context.Context) (registry.Config, int64, error) {
	var config registry.Config
	var version int64
	err := s.do(ctx, func(*lease) error {
		config, version = s.server.config, s.server.version
		return nil
	})
	return config, version, err
}

// SetConfig implements registry.Registry. Versions count from 1.
func (s *Session) SetConfig(ctx context.Context, c registry.Config, version int64) error {
	return s.do(ctx, func(*lease) error {
		if version != s.server.version {
			return registry.ErrConflict
		}
		s.server.config = c
		s.server.version++
		s.server.changed()
		return nil
	})
}
