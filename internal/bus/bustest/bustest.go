// Package bustest is the conformance suite of package bus: what every implementation does alike.
package bustest

import (
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/bus"
)

// Factory makes what the suite runs on.
type Factory struct {
	// Open returns a broker with empty queues, for one scenario. It is called within the bubble
	// where there is one.
	Open     func(t *testing.T) Env
	Features Features
}

// Env is one broker. A function that is nil skips the scenarios that need it.
type Env struct {
	// Connect returns a connection of its own. The suite closes it.
	Connect func() bus.Bus
	// Kill ends a connection as the death of its process does.
	Kill func(bus.Bus)
	// SetAvailable stops the broker, or starts it again without losing writes.
	SetAvailable func(bool)
	// DeadLetters returns how many dead letters there are.
	DeadLetters func() int
}

// Features are the differences between implementations that callers have to live with.
type Features struct {
	// Bubble: the implementation needs no network, and runs in a bubble of testing/synctest.
	Bubble bool
	// Settle is how long after an event nothing more comes of it. In a bubble it costs nothing.
	Settle time.Duration
	// ReadsLimit is how many messages Reads takes; 0 where it is too many to try.
	ReadsLimit int
	// LooseLimit is how many more than ReadsLimit may be taken when they come at once.
	LooseLimit int
	// LooseReturns: what goes back to Writes comes again at another place than it had.
	LooseReturns bool
}

type scenario struct {
	name string
	run  func(*kit)
}

// Run runs every scenario on a broker of its own.
func Run(t *testing.T, f Factory) {
	for _, group := range [][]scenario{calls(), redelivery(), consumers(), limits(), endings()} {
		for _, s := range group {
			t.Run(s.name, func(t *testing.T) {
				run := func(t *testing.T) { s.run(&kit{T: t, Env: f.Open(t), features: f.Features}) }
				if f.Features.Bubble {
					synctest.Test(t, run)
				} else {
					run(t)
				}
			})
		}
	}
}
