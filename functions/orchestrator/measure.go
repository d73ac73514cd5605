package orchestrator

import (
	"context"
	"errors"
	"time"

	"rideshare/internal/bus"
)

// Measured returns the bus with every call of it told to observe: how it ended (ok, full, late,
// unavailable), and how long it took.
func Measured(b bus.Bus, observe func(queue, outcome string, took time.Duration)) bus.Bus {
	return measured{b, observe}
}

type measured struct {
	bus.Bus
	observe func(queue, outcome string, took time.Duration)
}

// Call implements bus.Bus.
func (m measured) Call(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
	start := time.Now()
	reply, err := m.Bus.Call(ctx, q, r)
	m.observe(string(q), outcome(err), time.Since(start))
	return reply, err
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, bus.ErrFull):
		return "full"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "late"
	default:
		return "unavailable"
	}
}

// depthPatience is how long Depths waits for the broker.
const depthPatience = time.Second

// Depths returns a function that tells how many messages wait in each queue; of a queue that the
// broker does not tell about within a second it tells nothing.
func Depths(b bus.Bus) func() map[string]int {
	return func() map[string]int {
		ctx, cancel := context.WithTimeout(context.Background(), depthPatience)
		defer cancel()
		depths := map[string]int{}
		for _, q := range []bus.Queue{bus.Writes, bus.Reads, bus.Control} {
			if found, err := b.Inspect(ctx, q); err == nil {
				depths[string(q)] = found.Waiting
			}
		}
		return depths
	}
}
