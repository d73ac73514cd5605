package memory_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/internal/bus"
	"rideshare/internal/bus/bustest"
	"rideshare/internal/bus/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBus(t *testing.T) {
	const readsLimit = 250
	bustest.Run(t, bustest.Factory{
		Open: func(*testing.T) bustest.Env {
			broker := memory.NewBroker(memory.Options{Reads: readsLimit})
			return bustest.Env{
				Connect:      func() bus.Bus { return broker.Connect() },
				Kill:         func(b bus.Bus) { b.(*memory.Conn).Kill() },
				SetAvailable: broker.SetAvailable,
				DeadLetters:  func() int { return len(broker.DeadLetters()) },
			}
		},
		Features: bustest.Features{Bubble: true, Settle: 50 * time.Millisecond, ReadsLimit: readsLimit},
	})
}
