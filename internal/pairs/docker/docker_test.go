package docker

import (
	"testing"

	"go.uber.org/goleak"

	"rideshare/internal/pairs"
	"rideshare/internal/pairs/pairstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPairs(t *testing.T) {
	buildIdle(t)
	pairstest.Run(t, pairstest.Features{Outlive: true}, func(t *testing.T) pairstest.Factory {
		w := newWorld(t)
		return func(*testing.T) pairs.Pairs { return w.open() }
	})
}
