package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-zookeeper/zk"
	"golang.org/x/sync/errgroup"

	"rideshare/internal/registry"
)

// atOnce is how many nodes are read at once.
const atOnce = 8

// checkName refuses ids that cannot be the name of a node.
func checkName(id string) error {
	switch {
	case id == "", id == ".", id == "..", len(id) > maxName, !utf8.ValidString(id), strings.Contains(id, "/"),
		strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return fmt.Errorf("registry: zookeeper: %.40q cannot be the name of a node", id)
	}
	return nil
}

// Register implements registry.Registry. Where nothing has changed it writes nothing.
func (s *Session) Register(ctx context.Context, m registry.Member) error {
	if err := checkName(m.ID); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, l *link) error {
		return s.own(ctx, l, s.nodes.worker(m.ID), encode(m))
	})
}

// own makes the node this session's, with that data. Another session's node is replaced in one
// step: an owner cannot be changed.
func (s *Session) own(ctx context.Context, l *link, path string, data []byte) error {
	n, found, err := find(ctx, l, path)
	switch {
	case err != nil:
		return err
	case found && n.owned(l) && slices.Equal(n.data, data):
		return nil
	case found && n.owned(l):
		return multi(ctx, l, &zk.SetDataRequest{Path: path, Data: data, Version: n.stat.Version})
	}
	ops := []any{&zk.CreateRequest{Path: path, Data: data, Acl: s.acl, Flags: zk.FlagEphemeral}}
	if found {
		ops = slices.Insert(ops, 0, any(&zk.DeleteRequest{Path: path, Version: n.stat.Version}))
	}
	return multi(ctx, l, ops...)
}

// Members implements registry.Registry.
func (s *Session) Members(ctx context.Context) ([]registry.Member, error) {
	var all []registry.Member
	err := s.do(ctx, func(ctx context.Context, l *link) error {
		ids, err := ask(ctx, l, func(c *zk.Conn) ([]string, error) {
			ids, _, err := c.Children(s.nodes.workers)
			return ids, err
		})
		if err != nil {
			return err
		}
		slices.Sort(ids)
		all, err = s.describe(ctx, l, ids)
		return err
	})
	return all, err
}

// describe reads the nodes of the workers, and skips those that are gone or cannot be read.
func (s *Session) describe(ctx context.Context, l *link, ids []string) ([]registry.Member, error) {
	members := make([]registry.Member, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, id := range ids {
		group.Go(func() (err error) {
			members[i], err = s.member(ctx, l, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(members, func(m registry.Member) bool { return m.ID == "" }), nil
}

// member reads the node of a worker; the zero Member stands for one to be skipped.
func (s *Session) member(ctx context.Context, l *link, id string) (registry.Member, error) {
	node := s.nodes.worker(id)
	n, found, err := find(ctx, l, node)
	if errors.Is(err, zk.ErrNoAuth) || errors.Is(err, zk.ErrInvalidPath) {
		s.skip(node, n, err)
		return registry.Member{}, nil
	}
	if err != nil || !found {
		return registry.Member{}, err
	}
	m, err := ephemeral(n, func(data []byte) (registry.Member, error) { return decodeMember(id, data) })
	if err != nil {
		s.skip(node, n, err)
		return registry.Member{}, nil
	}
	return m, nil
}
