package oneprocess

import (
	"context"
	"maps"

	"rideshare/internal/pairs"
)

// Pairs returns the pairs, for tests that kill them.
func (s *System) Pairs() pairs.Pairs { return s.data.pairs }

// Replicas returns a digest of every running worker's database, by worker: two are equal where
// the position and the content are.
func (s *System) Replicas(ctx context.Context) (map[string]string, error) {
	s.data.mu.Lock()
	workers := maps.Clone(s.data.workers)
	s.data.mu.Unlock()
	replicas := map[string]string{}
	for id, w := range workers {
		digest, err := w.Digest(ctx)
		if err != nil {
			return nil, err
		}
		replicas[id] = digest
	}
	return replicas, nil
}
