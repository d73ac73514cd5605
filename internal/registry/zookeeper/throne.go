package zookeeper

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

// throne is the latest epoch and its master, as they were read. Whoever makes a master writes
// /epoch in the same step, so its version tells one mastership from the next: a change that names
// it meets the very master that was read, or nothing.
type throne struct {
	version int32  // of /epoch
	epoch   uint64 // 0: none yet, or unreadable
	node    node   // /master
	found   bool   // there is that node
	taken   bool   // and it can be read
	master  masterNode
}

// throne reads it. An epoch that cannot be read must not stop all elections for good: what follows
// may be an epoch that has been, and then the log refuses it and the candidate asks for a higher.
func (s *Session) throne(ctx context.Context, l *link) (throne, error) {
	epoch, err := get(ctx, l, s.nodes.epoch)
	if err != nil {
		return throne{}, err
	}
	t := throne{version: epoch.stat.Version}
	if t.epoch, err = decodeEpoch(epoch.data); err != nil {
		s.skip(s.nodes.epoch, epoch, err)
	}
	t.node, t.found, err = find(ctx, l, s.nodes.master)
	if err != nil || !t.found {
		return t, err
	}
	t.master, err = ephemeral(t.node, decodeMaster)
	if err != nil {
		s.skip(s.nodes.master, t.node, err)
		return t, nil
	}
	t.taken = true
	return t, nil
}

// vacate is how the master goes, where it is still the one that was read.
func (s *Session) vacate(t throne) []any {
	return []any{
		&zk.CheckVersionRequest{Path: s.nodes.epoch, Version: t.version},
		&zk.DeleteRequest{Path: s.nodes.master, Version: t.node.stat.Version},
	}
}

// enthrone is how a master comes, in place of the one that was read.
func (s *Session) enthrone(t throne, next masterNode) []any {
	ops := []any{&zk.SetDataRequest{
		Path: s.nodes.epoch, Data: encode(epochNode{next.Epoch}), Version: t.version,
	}}
	if t.found {
		ops = append(ops, &zk.DeleteRequest{Path: s.nodes.master, Version: t.node.stat.Version})
	}
	return append(ops, &zk.CreateRequest{
		Path: s.nodes.master, Data: encode(next), Acl: s.acl, Flags: zk.FlagEphemeral,
	})
}

// crown makes the master that decide returns. Where the connection is lost meanwhile, the nonce
// tells whether it was made. A call that fails without knowing leaves a regret.
func (s *Session) crown(ctx context.Context, decide func(throne) (registry.Master, error)) (registry.Master, error) {
	nonce := rand.Text()
	doubt := false // the node may have been made
	var made registry.Master
	err := s.do(ctx, func(ctx context.Context, l *link) error {
		t, err := s.throne(ctx, l)
		if err != nil {
			return err
		}
		if doubt && t.taken && t.master.Nonce == nonce && t.node.owned(l) {
			return nil
		}
		doubt = false
		if made, err = decide(t); err != nil {
			return err
		}
		doubt = true
		err = multi(ctx, l, s.enthrone(t, masterNode{made, nonce})...)
		doubt = err != nil && !outdated(err)
		return err
	})
	if err != nil {
		if doubt {
			s.regret(nonce, err)
		}
		return registry.Master{}, err
	}
	return made, nil
}

// regret is a mastership that its caller was told had failed, and that may have been made all the
// same. Nobody would lead under it, and nobody else could be elected: it has to go.
type regret struct {
	nonce string
	done  <-chan struct{} // closed when the request has had its effect; nil: it has
}

func (s *Session) regret(nonce string, err error) {
	r := regret{nonce: nonce}
	var pending *abandoned
	if errors.As(err, &pending) {
		r.done = pending.done
	}
	s.mu.Lock()
	s.regrets = append(s.regrets, r)
	s.mu.Unlock()
	s.wake()
}
