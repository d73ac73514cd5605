package zookeeper

import (
	"context"
	"fmt"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

// Elect implements registry.Registry.
func (s *Session) Elect(ctx context.Context, worker string, above, from uint64) (uint64, error) {
	if err := checkMaster(worker, above); err != nil {
		return 0, err
	}
	m, err := s.crown(ctx, func(t throne) (registry.Master, error) {
		if t.taken && t.master.Epoch != from {
			return registry.Master{}, registry.ErrTaken
		}
		return registry.Master{Worker: worker, Epoch: max(t.epoch, t.master.Epoch, above) + 1}, nil
	})
	return m.Epoch, err
}

// Reclaim implements registry.Registry.
func (s *Session) Reclaim(ctx context.Context, m registry.Master) error {
	if err := checkMaster(m.Worker, m.Epoch); err != nil {
		return err
	}
	_, err := s.crown(ctx, func(t throne) (registry.Master, error) {
		if t.taken || m.Epoch < t.epoch {
			return registry.Master{}, registry.ErrTaken
		}
		return m, nil
	})
	return err
}

// checkMaster refuses what no node could be made of that others would read.
func checkMaster(worker string, epoch uint64) error {
	if worker == "" || len(worker) > maxName || epoch >= maxEpoch {
		return fmt.Errorf("registry: zookeeper: %.40q cannot be master of an epoch from %d on", worker, epoch)
	}
	return nil
}

// Resign implements registry.Registry.
func (s *Session) Resign(ctx context.Context, m registry.Master) error {
	return s.do(ctx, func(ctx context.Context, l *link) error {
		t, err := s.throne(ctx, l)
		if err != nil || !t.taken || t.master.Master != m {
			return err
		}
		return multi(ctx, l, s.vacate(t)...)
	})
}

// Evict implements registry.Registry. Both nodes go in one step.
func (s *Session) Evict(ctx context.Context, worker string) error {
	return s.do(ctx, func(ctx context.Context, l *link) error {
		var ops []any
		t, err := s.throne(ctx, l)
		if err != nil {
			return err
		}
		if t.taken && t.master.Worker == worker {
			ops = s.vacate(t)
		}
		if checkName(worker) == nil {
			node := s.nodes.worker(worker)
			found, err := exists(ctx, l, node)
			if err != nil {
				return err
			}
			if found { // of whatever version: the worker may be writing
				ops = append(ops, &zk.DeleteRequest{Path: node, Version: -1})
			}
		}
		if len(ops) == 0 {
			return nil
		}
		return multi(ctx, l, ops...)
	})
}

// Epoch implements registry.Registry. Where the node of the epoch cannot be read, the master's counts.
func (s *Session) Epoch(ctx context.Context) (uint64, error) {
	var epoch uint64
	err := s.do(ctx, func(ctx context.Context, l *link) error {
		t, err := s.throne(ctx, l)
		epoch = max(t.epoch, t.master.Epoch)
		return err
	})
	return epoch, err
}

// Master implements registry.Registry.
func (s *Session) Master(ctx context.Context) (registry.Master, error) {
	var m registry.Master
	err := s.do(ctx, func(ctx context.Context, l *link) error {
		n, found, err := find(ctx, l, s.nodes.master)
		if err != nil {
			return err
		}
		if !found {
			return registry.ErrNotFound
		}
		master, err := ephemeral(n, decodeMaster)
		if err != nil {
			s.skip(s.nodes.master, n, err)
			return registry.ErrNotFound
		}
		m = master.Master
		return nil
	})
	return m, err
}
