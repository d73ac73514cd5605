package zookeeper

import (
	"context"
	"errors"
	"slices"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

// historyNode is all records in one node: they are few, and one change of it is atomic.
type historyNode struct {
	Records []cluster.Record `json:"records"`
}

// maxHistory is how large the node may be, in bytes: the server refuses more.
const maxHistory = 1 << 20

// Record implements registry.Registry. Where the connection is lost meanwhile, the record's ID tells whether it
// was kept.
func (s *Session) Record(ctx context.Context, r cluster.Record) error {
	return s.do(ctx, func(ctx context.Context, l *link) error {
		for {
			n, found, err := find(ctx, l, s.nodes.history)
			if err != nil {
				return err
			}
			before := s.readHistory(n)
			after := registry.AddRecord(before, r)
			if found && slices.Equal(before, after) {
				return nil
			}
			data := encode(historyNode{after})
			op := any(&zk.SetDataRequest{Path: s.nodes.history, Data: data, Version: n.stat.Version})
			if !found {
				op = &zk.CreateRequest{Path: s.nodes.history, Data: data, Acl: s.acl, Flags: zk.FlagPersistent}
			}
			err = multi(ctx, l, op)
			if !errors.Is(err, zk.ErrBadVersion) && !errors.Is(err, zk.ErrNodeExists) && !errors.Is(err, zk.ErrNoNode) {
				return err
			}
		}
	})
}

// History implements registry.Registry.
func (s *Session) History(ctx context.Context) ([]cluster.Record, error) {
	var history []cluster.Record
	err := s.do(ctx, func(ctx context.Context, l *link) error {
		n, found, err := find(ctx, l, s.nodes.history)
		if err == nil && found {
			history = s.readHistory(n)
		}
		return err
	})
	return history, err
}

// readHistory returns no records of a node that cannot be read.
func (s *Session) readHistory(n node) []cluster.Record {
	if len(n.data) == 0 {
		return nil
	}
	var h historyNode
	if err := decodeUpTo(maxHistory, n.data, &h); err != nil {
		s.skip(s.nodes.history, n, err)
		return nil
	}
	return h.Records
}
