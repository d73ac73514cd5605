package zookeeper_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
	"rideshare/internal/registry/zookeeper"
)

// hostileNodes writes nonsense into every node, as whoever has the password can. It is skipped,
// and replaced by whoever has something to say.
func hostileNodes(s *site) {
	var logged buffer
	config := s.config(s.server.Addr())
	config.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	r, err := zookeeper.Open(config)
	s.must(err)
	defer r.Close() //nolint:errcheck // it never fails
	s.must(r.Register(s.Context(), registry.Member{ID: "good"}))
	acl := zk.DigestACL(zk.PermAll, user, password)
	c := s.raw(user, password)
	node := func(path, data string, flags int32) {
		s.Helper()
		_, err := c.Create(s.root+path, []byte(data), flags, acl)
		s.must(err)
	}
	node("/workers/empty", "", zk.FlagEphemeral)
	node("/workers/liar", `{"id":"good"}`, zk.FlagEphemeral)
	node("/workers/lasting", `{"id":"lasting"}`, zk.FlagPersistent)
	node("/workers/large", `{"id":"large","addr":"`+strings.Repeat("x", 1<<19)+`"}`, zk.FlagEphemeral)
	_, err = c.Create(s.root+"/workers/closed", nil, zk.FlagEphemeral, zk.DigestACL(zk.PermAll, "other", "user"))
	s.must(err)
	node("/master", `{"worker":"ghost","epoch":18446744073709551615}`, zk.FlagPersistent)
	node("/config", `{"slaves":-1}`, zk.FlagPersistent)
	node("/watchers", `[]`, zk.FlagEphemeral)
	_, err = c.Set(s.root+"/epoch", []byte("{\"epoch\":1e99}"), -1)
	s.must(err)

	for range 3 {
		s.wantMembers(r, "good")
		_, err = r.Master(s.Context())
		s.want(err, registry.ErrNotFound)
	}
	if n := strings.Count(logged.String(), "/workers/liar"); n != 1 {
		s.Errorf("logged %d times:\n%s", n, logged.String())
	}
	got, version, err := r.Config(s.Context())
	if err != nil || got != (registry.Config{}) {
		s.Errorf("config %v, %v", got, err)
	}
	s.must(r.SetConfig(s.Context(), registry.Config{Slaves: 1}, version))
	s.must(r.LeadWatchers(s.Context(), "a"))
	s.must(r.Register(s.Context(), registry.Member{ID: "lasting"}))
	s.must(r.Register(s.Context(), registry.Member{ID: "liar"}))
	s.must(r.Evict(s.Context(), "large"))
	s.must(r.Evict(s.Context(), "closed"))
	s.elect(r, registry.Master{Worker: "good", Epoch: 8}, 0)
	s.wantMembers(r, "good", "lasting", "liar")
	s.wantMaster(r, registry.Master{Worker: "good", Epoch: 8})

	for _, id := range []string{"", ".", "..", "a/b", "a\x00b", "\xff", strings.Repeat("x", 300)} {
		if err := r.Register(s.Context(), registry.Member{ID: id}); err == nil {
			s.Errorf("%q was registered", id)
		}
		s.must(r.Evict(s.Context(), id))
	}
	if _, err := r.Elect(s.Context(), "w", 1<<64-1, 8); err == nil {
		s.Error("elected above the largest number")
	}
}

// buffer is written to by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
