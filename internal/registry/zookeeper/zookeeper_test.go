package zookeeper_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/internal/registry"
	"rideshare/internal/registry/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// timeout is that of sessions. Many scenarios run at once: a session must not end because the
	// processors were busy for a while.
	timeout  = 2500 * time.Millisecond
	patience = 10 * time.Second
)

// site is a server, and a part of its tree that no other test uses.
type site struct {
	*testing.T
	server  server
	root    string
	timeout time.Duration // of its sessions
}

// TestZooKeeper runs everything that needs a server on one server.
func TestZooKeeper(t *testing.T) {
	server := newServer(t)
	var roots atomic.Int64
	fresh := func(t *testing.T) *site {
		return &site{T: t, server: server, root: fmt.Sprintf("/test/%d", roots.Add(1)), timeout: timeout}
	}
	t.Run("conformance", func(t *testing.T) { conformance(t, fresh, timeout, registrytest.Run) })
	t.Run("conformance in outages", func(t *testing.T) { conformance(t, fresh, 2*timeout, registrytest.RunOutages) })
	t.Run("lost at the change", func(t *testing.T) { losses(t, fresh) })
	for _, test := range []struct {
		name string
		run  func(*site)
	}{
		{"the connection is lost while the first nodes are made", firstNodes},
		{"an election that nobody waited for is undone", abandonedElection},
		{"an election in doubt is undone", doubtfulElection},
		{"calls end in time", boundedCalls},
		{"elections at random", randomElections},
		{"the wrong password", wrongPassword},
		{"another user", anotherUser},
		{"nodes that are open to all", openNodes},
		{"nodes that nobody can read", hostileNodes},
		{"a server that was restarted", restarted},
		{"a server that does not answer at first", silent},
		{"what a session tells of itself", observed},
		{"a server that was paused", paused},
		{"a server that lost its data", lostData},
		{"how fast it is", figures},
		{"a server that is ours alone", exclusive},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(fresh(t)) })
	}
}

func conformance(t *testing.T, fresh func(*testing.T) *site, timeout time.Duration, suite func(*testing.T, registrytest.Factory)) {
	suite(t, registrytest.Factory{
		Open: func(t *testing.T) registrytest.Env {
			site := fresh(t)
			site.timeout = timeout
			proxies := map[registry.Registry]*proxy{}
			return registrytest.Env{
				Connect: func() registry.Registry {
					p := newProxy(t, site.server.Addr())
					s := site.session(p.Addr())
					proxies[s] = p
					return s
				},
				Cut:  func(r registry.Registry) { proxies[r].Cut() },
				Heal: func(r registry.Registry) { proxies[r].Heal() },
				Kill: func(r registry.Registry) { proxies[r].Cut() }, // it only goes on to try
				SetAvailable: func(up bool) {
					if up {
						site.server.Start()
					} else {
						site.server.Kill()
					}
				},
			}
		},
		Features: registrytest.Features{Parallel: true, Timeout: timeout, Settle: 30 * time.Millisecond},
	})
}
