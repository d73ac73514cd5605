package zookeeper_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
	"rideshare/internal/registry/zookeeper"
)

// full makes every node that there can be.
func (s *site) full() {
	s.Helper()
	r := s.observer()
	s.must(r.Register(s.Context(), registry.Member{ID: "w"}))
	s.elect(r, registry.Master{Worker: "w", Epoch: 1}, 0)
	s.must(r.SetConfig(s.Context(), registry.Config{Slaves: 2}, 0))
	s.must(r.LeadWatchers(s.Context(), "a"))
}

func (s *site) paths() []string {
	return []string{
		s.root, s.root + "/epoch", s.root + "/master", s.root + "/workers", s.root + "/workers/w",
		s.root + "/config", s.root + "/watchers",
	}
}

func wrongPassword(s *site) {
	s.full()
	for _, c := range []zookeeper.Config{{User: user, Password: "guess"}, {User: "other", Password: password}, {}} {
		c.Servers, c.SessionTimeout, c.Root = []string{s.server.Addr()}, timeout, s.root
		r, err := zookeeper.Open(c)
		s.must(err)
		_, members := r.Members(s.Context())
		_, elect := r.Elect(s.Context(), "x", 0, 1)
		for _, err := range []error{members, elect, r.Register(s.Context(), registry.Member{ID: "w"}), r.Evict(s.Context(), "w")} {
			s.want(err, zookeeper.ErrDenied)
		}
		s.must(r.Close())
	}
	s.wantMaster(s.observer(), registry.Master{Worker: "w", Epoch: 1})
}

// anotherUser tries everything by the protocol itself.
func anotherUser(s *site) {
	s.full()
	c := s.raw("other", "user")
	for _, path := range s.paths() {
		_, _, read := c.Get(path)
		_, _, list := c.Children(path)
		_, write := c.Set(path, nil, -1)
		_, create := c.Create(path+"/x", nil, zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
		_, open := c.SetACL(path, zk.WorldACL(zk.PermAll), -1)
		for what, err := range map[string]error{"read": read, "list": list, "write": write, "create below": create, "open": open} {
			if !errors.Is(err, zk.ErrNoAuth) && !errors.Is(err, zk.ErrNoChildrenForEphemerals) {
				s.Errorf("%s %s: %v", what, path, err)
			}
		}
		// Who may delete is said by the node above. That of the root is not ours, but the root is
		// never empty.
		if err := c.Delete(path, -1); !errors.Is(err, zk.ErrNoAuth) && !errors.Is(err, zk.ErrNotEmpty) {
			s.Errorf("delete %s: %v", path, err)
		}
	}
}

// openNodes lets somebody else make the nodes first, open to all.
func openNodes(s *site) {
	above, c := s.root, s.raw(user, password)
	s.wantMembers(s.observer())
	for i, path := range []string{"", "/workers", "/epoch"} {
		s.root = fmt.Sprintf("%s/%d", above, i)
		s.must(create(c, s.root, zk.DigestACL(zk.PermAll, user, password)))
		if path == "" {
			_, err := c.SetACL(s.root, zk.WorldACL(zk.PermAll), -1)
			s.must(err)
		} else {
			s.must(create(c, s.root+path, zk.WorldACL(zk.PermRead)))
		}
		_, err := s.observer().Members(s.Context())
		s.want(err, zookeeper.ErrOpen)
	}
}

// exclusive closes the server's own nodes to others. It is the last test on the server that uses "/".
func exclusive(s *site) {
	c := s.config(s.server.Addr())
	c.Exclusive = true
	// An operator has tried setquota.
	c1 := s.raw(user, password)
	for _, path := range []string{"/zookeeper/quota/test", "/zookeeper/quota" + s.root} {
		s.must(create(c1, path, zk.WorldACL(zk.PermAll)))
	}
	for range 2 { // the second time there is nothing to do
		r, err := zookeeper.Open(c)
		s.must(err)
		s.wantMembers(r)
		s.must(r.Close())
	}
	other, own := s.raw("other", "user"), s.raw(user, password)
	quota := "/zookeeper/quota" + s.root
	for _, path := range []string{"/", "/zookeeper", "/zookeeper/quota", quota, quota + "/zookeeper_limits"} {
		_, _, list := other.Children(path)
		if !errors.Is(list, zk.ErrNoAuth) {
			s.Errorf("another user lists %s: %v", path, list)
		}
		for who, c := range map[string]*zk.Conn{"another user": other, "the user": own} {
			_, open := c.SetACL(path, zk.WorldACL(zk.PermAll), -1)
			_, write := c.Set(path, nil, -1)
			for what, err := range map[string]error{
				"open": open, "write": write, "create below": create(c, strings.TrimSuffix(path, "/")+"/x", zk.WorldACL(zk.PermAll)),
			} {
				if !errors.Is(err, zk.ErrNoAuth) {
					s.Errorf("%s may %s %s: %v", who, what, path, err)
				}
			}
		}
	}
	if err := own.Delete(quota+"/zookeeper_limits", -1); !errors.Is(err, zk.ErrNoAuth) {
		s.Errorf("the user may delete the quota: %v", err)
	}
	filled := 0
	for err := error(nil); err == nil && filled <= 1000; filled++ {
		err = create(own, fmt.Sprintf("%s/filler-%d", s.root, filled), zk.DigestACL(zk.PermAll, user, password))
	}
	if filled < 900 || filled > 1000 {
		s.Errorf("the quota let %d nodes pass", filled)
	}
}

func create(c *zk.Conn, path string, acl []zk.ACL) error {
	_, err := c.Create(path, nil, zk.FlagPersistent, acl)
	return err
}

func TestConfigThatCannotWork(t *testing.T) {
	for name, c := range map[string]zookeeper.Config{
		"no servers":          {},
		"a relative root":     {Servers: []string{"x"}, Root: "rideshare"},
		"the root of all":     {Servers: []string{"x"}, Root: "/"},
		"an unclean root":     {Servers: []string{"x"}, Root: "/a/../b"},
		"a user alone":        {Servers: []string{"x"}, User: "a"},
		"a password alone":    {Servers: []string{"x"}, Password: "a"},
		"exclusive, no user":  {Servers: []string{"x"}, Exclusive: true},
		"a colon in the user": {Servers: []string{"x"}, User: "a:b", Password: "c"},
		"a negative time-out": {Servers: []string{"x"}, SessionTimeout: -1},
	} {
		if s, err := zookeeper.Open(c); err == nil {
			t.Errorf("%s is accepted", name)
			_ = s.Close()
		}
	}
}
