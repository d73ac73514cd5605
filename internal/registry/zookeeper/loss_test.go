package zookeeper_test

import (
	"testing"

	"rideshare/internal/registry"
)

// losses loses the connection exactly at the request that changes something, before and after the
// server has done it. Nobody must notice: each change happens, and happens once.
func losses(t *testing.T, fresh func(*testing.T) *site) {
	m := registry.Master{Worker: "w", Epoch: 1}
	for name, change := range map[string]struct {
		prepare, do, check func(*site, registry.Registry)
	}{
		"register": {
			nothing,
			func(s *site, r registry.Registry) { s.must(r.Register(s.Context(), registry.Member{ID: "w"})) },
			func(s *site, r registry.Registry) { s.wantMembers(r, "w") },
		},
		"register again": {
			func(s *site, r registry.Registry) { s.must(r.Register(s.Context(), registry.Member{ID: "w", PID: 1})) },
			func(s *site, r registry.Registry) { s.must(r.Register(s.Context(), registry.Member{ID: "w", PID: 2})) },
			func(s *site, r registry.Registry) { s.wantMembers(r, "w") },
		},
		"elect": {nothing, func(s *site, r registry.Registry) { s.elect(r, m, 0) }, isMaster(m)},
		"planned change": {
			func(s *site, r registry.Registry) { s.elect(r, registry.Master{Worker: "old", Epoch: 1}, 0) },
			func(s *site, r registry.Registry) { s.elect(r, registry.Master{Worker: "new", Epoch: 2}, 1) },
			isMaster(registry.Master{Worker: "new", Epoch: 2}),
		},
		"reclaim": {nothing, func(s *site, r registry.Registry) { s.must(r.Reclaim(s.Context(), m)) }, isMaster(m)},
		"resign": {
			func(s *site, r registry.Registry) { s.elect(r, m, 0) },
			func(s *site, r registry.Registry) { s.must(r.Resign(s.Context(), m)) },
			func(s *site, r registry.Registry) { s.vacant(r) },
		},
		"evict": {
			func(s *site, r registry.Registry) {
				s.must(r.Register(s.Context(), registry.Member{ID: "w"}))
				s.elect(r, m, 0)
			},
			func(s *site, r registry.Registry) { s.must(r.Evict(s.Context(), "w")) },
			func(s *site, r registry.Registry) { s.vacant(r); s.wantMembers(r) },
		},
		"config": {
			nothing,
			func(s *site, r registry.Registry) {
				s.must(r.SetConfig(s.Context(), registry.Config{Slaves: 2}, 0))
			},
			func(s *site, r registry.Registry) {
				if c, _, err := r.Config(s.Context()); err != nil || c.Slaves != 2 {
					s.Errorf("config %v, %v", c, err)
				}
			},
		},
		"leading watcher": {
			nothing,
			func(s *site, r registry.Registry) { s.must(r.LeadWatchers(s.Context(), "a")) },
			func(s *site, r registry.Registry) { s.want(r.LeadWatchers(s.Context(), "b"), registry.ErrTaken) },
		},
	} {
		for when, f := range map[string]fault{"before": cutBefore, "after": cutAfter} {
			t.Run(name+", "+when, func(t *testing.T) {
				s := fresh(t)
				p := newProxy(t, s.server.Addr())
				r := s.open(p.Addr())
				change.prepare(s, r)
				met := p.Once(opMulti, f)
				change.do(s, r)
				select {
				case <-met:
				default:
					t.Error("the connection was not lost")
				}
				change.check(s, s.observer())
			})
		}
	}
}

func nothing(s *site, r registry.Registry) { s.wantMembers(r) }

// elect has a master elected. The wanted epoch decides above which one: the latest.
func (s *site) elect(r registry.Registry, want registry.Master, from uint64) {
	s.Helper()
	epoch, err := r.Elect(s.Context(), want.Worker, want.Epoch-1, from)
	s.must(err)
	if epoch != want.Epoch {
		s.Fatalf("epoch %d, want %d", epoch, want.Epoch)
	}
}

func isMaster(m registry.Master) func(*site, registry.Registry) {
	return func(s *site, r registry.Registry) { s.wantMaster(r, m) }
}
