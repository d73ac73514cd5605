// Package containers kills, pauses and stops parts of the system in containers under load, and
// compares what callers were told with what is there.
package containers

import (
	"testing"
	"time"

	"rideshare/e2e/compose"
)

// site is the system in containers, and what is measured of it here.
type site struct{ *compose.Site }

func start(t *testing.T, env ...string) *site { return &site{compose.Start(t, env...)} }

// failover measures from now to the first acknowledged write of a later epoch.
func (s *site) failover(epoch uint64, begun time.Time) time.Duration {
	s.Helper()
	var took time.Duration
	s.Until("a write is acknowledged by the next master", func() bool {
		ack, ok := s.Ledger.FirstAfter(epoch)
		took = ack.At.Sub(begun)
		return ok
	})
	return took
}
