package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"
)

// lay makes the nodes that are always there, and checks that nobody else gets at them. It reads
// first: to create what exists costs the server a write.
func (s *Session) lay(ctx context.Context, l *link) error {
	for i, r := range s.config.Root {
		if r == '/' && i > 0 { // nodes above the root are not ours to judge
			if err := s.layOne(ctx, l, s.config.Root[:i], nil, false); err != nil {
				return err
			}
		}
	}
	for _, node := range []struct {
		path string
		data []byte
	}{{s.nodes.root, nil}, {s.nodes.workers, nil}, {s.nodes.epoch, encode(epochNode{})}} {
		if err := s.layOne(ctx, l, node.path, node.data, true); err != nil {
			return err
		}
	}
	if s.config.Exclusive {
		return s.enclose(ctx, l)
	}
	return nil
}

func (s *Session) layOne(ctx context.Context, l *link, path string, data []byte, ours bool) error {
	for {
		acl, err := ask(ctx, l, func(c *zk.Conn) ([]zk.ACL, error) {
			acl, _, err := c.GetACL(path)
			return acl, err
		})
		switch {
		case err == nil && ours && s.config.User != "" && !slices.Equal(acl, s.acl):
			return fmt.Errorf("%w: %s has %s", ErrOpen, path, users(acl))
		case errors.Is(err, zk.ErrNoAuth) && !ours:
			return nil
		case !errors.Is(err, zk.ErrNoNode):
			return err
		}
		_, err = ask(ctx, l, func(c *zk.Conn) (string, error) {
			return c.Create(path, data, zk.FlagPersistent, s.acl)
		})
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
		if err == nil {
			return nil
		}
	}
}

// users names who gets at a node, without the hashes of passwords.
func users(acl []zk.ACL) string {
	var who []string
	for _, a := range acl {
		user, _, _ := strings.Cut(a.ID, ":")
		who = append(who, fmt.Sprintf("%s:%s %#x", a.Scheme, user, a.Perms))
	}
	return strings.Join(who, ", ")
}
