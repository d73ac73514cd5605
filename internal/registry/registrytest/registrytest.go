// Package registrytest is the conformance suite of package registry: what every implementation
// does alike.
package registrytest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/registry"
)

// Factory makes what the suite runs on.
type Factory struct {
	// Open returns an empty registry, for one scenario. It is called within the bubble where there
	// is one.
	Open     func(t *testing.T) Env
	Features Features
}

// Env is one registry. Scenarios that need a function that is nil are skipped.
type Env struct {
	// Connect returns a session of its own. The suite closes it.
	Connect func() registry.Registry
	// Cut separates a session from the registry, Heal joins them again.
	Cut, Heal func(registry.Registry)
	// Kill ends a session as the death of its process does.
	Kill func(registry.Registry)
	// SetAvailable stops the registry, or starts it again with all it knew.
	SetAvailable func(bool)
}

// Features are the differences between implementations.
type Features struct {
	// Bubble: the implementation needs no network, and runs in a bubble of testing/synctest, where
	// the clock jumps whenever everything waits.
	Bubble bool
	// Timeout is the time-out of sessions.
	Timeout time.Duration
	// Parallel: registries do not disturb each other, so that the scenarios of Run may run at the same time.
	Parallel bool
	// Settle is how long after an event nothing more comes of it. In a bubble it costs nothing.
	Settle time.Duration
}

type scenario struct {
	name string
	run  func(*kit)
}

// Run runs every scenario in which the registry stays up, on a registry of its own.
func Run(t *testing.T, f Factory) {
	run(t, f, f.Features.Parallel, members(), elections(), configs(), records(), watches(), watchers(), sessions())
}

// RunOutages runs those that stop the registry, one after the other. The time-out has to be longer than a
// registry takes, on a busy machine, from where it counts again until sessions can reach it.
func RunOutages(t *testing.T, f Factory) { run(t, f, false, outages()) }

func run(t *testing.T, f Factory, parallel bool, groups ...[]scenario) {
	for _, s := range slices.Concat(groups...) {
		t.Run(s.name, func(t *testing.T) {
			if parallel {
				t.Parallel()
			}
			runOne(t, f, s)
		})
	}
}

func runOne(t *testing.T, f Factory, s scenario) {
	run := func(t *testing.T) { s.run(&kit{T: t, Env: f.Open(t), features: f.Features}) }
	if f.Features.Bubble {
		synctest.Test(t, run)
	} else {
		run(t)
	}
}
