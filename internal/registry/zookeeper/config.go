package zookeeper

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

// Config implements registry.Registry. The version is the number of the transaction that wrote the
// node: unlike the node's own version it does not begin anew when somebody deletes the node.
func (s *Session) Config(ctx context.Context) (registry.Config, int64, error) {
	var config registry.Config
	var version int64
	err := s.do(ctx, func(ctx context.Context, l *link) error {
		n, found, err := find(ctx, l, s.nodes.config)
		if err != nil || !found {
			return err
		}
		version = n.stat.Mzxid
		config = s.readConfig(n).Config
		return nil
	})
	return config, version, err
}

// readConfig returns the zero config for a node that cannot be read: the watcher then sets it anew.
func (s *Session) readConfig(n node) configNode {
	c, err := decodeConfig(n.data)
	if err != nil {
		s.skip(s.nodes.config, n, err)
	}
	return c
}

// SetConfig implements registry.Registry. Where the connection is lost meanwhile, the nonce tells
// whether it was set; ErrUnavailable where somebody has changed it since.
func (s *Session) SetConfig(ctx context.Context, c registry.Config, version int64) error {
	next := configNode{c, rand.Text()}
	if c.Slaves < 0 {
		return fmt.Errorf("registry: zookeeper: %d slaves", c.Slaves)
	}
	doubt := false // it may have been set
	return s.do(ctx, func(ctx context.Context, l *link) error {
		n, found, err := find(ctx, l, s.nodes.config)
		switch {
		case err != nil:
			return err
		case doubt && found && s.readConfig(n) == next:
			return nil
		case n.stat.Mzxid != version && doubt:
			return registry.ErrUnavailable
		case n.stat.Mzxid != version:
			return registry.ErrConflict
		}
		op := any(&zk.SetDataRequest{Path: s.nodes.config, Data: encode(next), Version: n.stat.Version})
		if !found {
			op = &zk.CreateRequest{Path: s.nodes.config, Data: encode(next), Acl: s.acl, Flags: zk.FlagPersistent}
		}
		err = multi(ctx, l, op)
		doubt = doubt || lost(err)
		return err
	})
}
