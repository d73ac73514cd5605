package zookeeper_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rideshare/internal/registry"
)

// figures are for docs/measurements.md.
func figures(s *site) {
	if testing.Short() {
		s.Skip("it tests nothing")
	}
	r, observer := s.observer(), s.observer()
	const rounds = 200
	var elect, register []time.Duration
	for i := range rounds {
		began := time.Now()
		epoch, err := r.Elect(s.Context(), "w", 0, 0)
		s.must(err)
		elect = append(elect, time.Since(began))
		s.must(r.Resign(s.Context(), registry.Master{Worker: "w", Epoch: epoch}))
		began = time.Now()
		s.must(r.Register(s.Context(), registry.Member{ID: "w", PID: i}))
		register = append(register, time.Since(began))
	}
	s.Logf("elect: %s; register: %s", summary(elect), summary(register))

	var gone, heard []time.Duration
	for i := range 3 {
		p := newProxy(s.T, s.server.Addr())
		dying := s.session(p.Addr())
		s.must(dying.Register(s.Context(), registry.Member{ID: fmt.Sprint("dying", i)}))
		s.elect(dying, registry.Master{Worker: "dying", Epoch: uint64(1000 + i)}, 0)
		began := time.Now()
		p.Cut()
		s.vacant(observer)
		gone = append(gone, time.Since(began))
		s.must(dying.Close())
	}
	s.Logf("nodes of a killed session of %s gone after: %s", timeout, summary(gone))

	changes := observer.Watch(s.Context())
	for i := range rounds {
		began := time.Now()
		s.must(r.Register(s.Context(), registry.Member{ID: "w", PID: -i - 1}))
		<-changes
		heard = append(heard, time.Since(began))
	}
	s.Logf("from Register to the watch of another session: %s", summary(heard))
}

func summary(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("median %s, worst %s (%d)", all[len(all)/2].Round(10*time.Microsecond),
		all[len(all)-1].Round(10*time.Microsecond), len(all))
}
