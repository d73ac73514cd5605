package workers

import (
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/db"
	"rideshare/internal/registry"
)

// Metrics is told what a worker does, as it does it. Its methods are called concurrently and must
// not wait.
type Metrics interface {
	// Waited: a request was taken from the queue, in which it had waited for so long.
	Waited(q bus.Queue, d time.Duration)
	// Committed: so many writes were executed, logged, read back and committed as one entry.
	Committed(writes int, took time.Duration)
	// Answered: a read of that level was answered with its result.
	Answered(level db.Consistency, took time.Duration)
	// Status describes the worker now, at least once a second. Lag is how many entries the worker
	// is behind the most advanced one that the registry knows.
	Status(m registry.Member, lag uint64)
}

// unmeasured is the Metrics of a worker that has none.
type unmeasured struct{}

func (unmeasured) Waited(bus.Queue, time.Duration)        {}
func (unmeasured) Committed(int, time.Duration)           {}
func (unmeasured) Answered(db.Consistency, time.Duration) {}
func (unmeasured) Status(registry.Member, uint64)         {}
