package zookeeper_test

import (
	"errors"
	"io"
	"log"
	"time"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
	"rideshare/internal/registry/zookeeper"
)

const (
	user     = "rideshare"
	password = "secret"
)

// config is the configuration of a session that reaches the server by way of that address.
func (s *site) config(addr string) zookeeper.Config {
	return zookeeper.Config{
		Servers: []string{addr}, SessionTimeout: s.timeout, Root: s.root, User: user, Password: password,
	}
}

// session opens a session; the caller closes it.
func (s *site) session(addr string) *zookeeper.Session {
	s.Helper()
	session, err := zookeeper.Open(s.config(addr))
	s.must(err)
	return session
}

// open opens a session, and closes it after the test.
func (s *site) open(addr string) *zookeeper.Session {
	s.Helper()
	session := s.session(addr)
	s.Cleanup(func() { s.must(session.Close()) })
	return session
}

// observer opens a session that nothing disturbs.
func (s *site) observer() *zookeeper.Session { return s.open(s.server.Addr()) }

// raw opens a connection of the client library itself.
func (s *site) raw(user, password string) *zk.Conn {
	s.Helper()
	c, events, err := zk.Connect([]string{s.server.Addr()}, 10*time.Second, zk.WithLogger(log.New(io.Discard, "", 0)))
	s.must(err)
	s.Cleanup(func() {
		c.Close()
		for range events {
		}
	})
	s.must(c.AddAuth("digest", []byte(user+":"+password)))
	return c
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) want(err error, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("error %v, want %v", err, want)
	}
}

// eventually asks until it holds: each time the watch fires, and every now and then.
func (s *site) eventually(r registry.Registry, what string, holds func() bool) {
	s.Helper()
	changes := r.Watch(s.Context())
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); !holds(); {
		if time.Now().After(end) {
			s.Fatalf("still not: %s", what)
		}
		select {
		case <-changes:
		case <-again.C:
		}
	}
}

// vacant waits until there is no master.
func (s *site) vacant(r registry.Registry) {
	s.Helper()
	s.eventually(r, "there is no master", func() bool {
		_, err := r.Master(s.Context())
		return errors.Is(err, registry.ErrNotFound)
	})
}

func (s *site) wantMaster(r registry.Registry, want registry.Master) {
	s.Helper()
	got, err := r.Master(s.Context())
	s.must(err)
	if got != want {
		s.Fatalf("master %v, want %v", got, want)
	}
}

func (s *site) wantMembers(r registry.Registry, want ...string) {
	s.Helper()
	all, err := r.Members(s.Context())
	s.must(err)
	if len(all) != len(want) {
		s.Fatalf("members %v, want %v", all, want)
	}
	for i, m := range all {
		if m.ID != want[i] {
			s.Fatalf("members %v, want %v", all, want)
		}
	}
}
