package memory_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/internal/registry"
	"rideshare/internal/registry/memory"
	"rideshare/internal/registry/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRegistry(t *testing.T) {
	const timeout = time.Second
	factory := registrytest.Factory{
		Open: func(*testing.T) registrytest.Env {
			server := memory.NewServer(memory.Options{SessionTimeout: timeout})
			return registrytest.Env{
				Connect:      func() registry.Registry { return server.Connect() },
				Cut:          func(r registry.Registry) { r.(*memory.Session).Cut() },
				Heal:         func(r registry.Registry) { r.(*memory.Session).Heal() },
				Kill:         func(r registry.Registry) { r.(*memory.Session).Kill() },
				SetAvailable: server.SetAvailable,
			}
		},
		Features: registrytest.Features{Bubble: true, Timeout: timeout, Settle: 20 * time.Millisecond},
	}
	t.Run("up", func(t *testing.T) { registrytest.Run(t, factory) })
	t.Run("down", func(t *testing.T) { registrytest.RunOutages(t, factory) })
}
