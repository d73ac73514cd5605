package zookeeper_test

import (
	"time"

	"rideshare/internal/registry"
	"rideshare/internal/registry/zookeeper"
)

// observed kills the server and starts it again, and looks at what the session tells of itself.
func observed(s *site) {
	told := make(chan bool, 64)
	config := s.config(s.server.Addr())
	config.Observe = func(up bool) { told <- up }
	session, err := zookeeper.Open(config)
	s.must(err)
	s.Cleanup(func() { s.must(session.Close()) })
	next := func(want bool) {
		s.Helper()
		for end := time.After(patience); ; {
			select {
			case up := <-told:
				if up == want {
					return
				}
			case <-end:
				s.Fatalf("nobody was told that the session is up: %v", want)
			}
		}
	}
	next(false) // before there is one
	s.must(session.Register(s.Context(), registry.Member{ID: "w"}))
	next(true)
	s.server.Kill()
	next(false)
	s.server.Start()
	next(true)
}
