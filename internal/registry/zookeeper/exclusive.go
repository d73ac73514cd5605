package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"
)

// The quota of the root: far above what 100 workers need. A server with enforceQuota=true refuses more.
const (
	maxNodes = 1000
	maxBytes = 8 << 20
)

// quotaNode is where ZooKeeper keeps the quotas of all nodes.
const quotaNode = "/zookeeper/quota"

// enclose closes a server that is ours alone: others get at none of its nodes, and those who have our password
// make nodes only below the root, up to a quota. It cannot be undone but by the server's superuser.
func (s *Session) enclose(ctx context.Context, l *link) error {
	// As setquota of zkCli.sh writes it: -1 is no limit, and what follows "bytes" are the hard limits.
	limits := fmt.Sprintf("count=-1,bytes=-1=;byteHardLimit=%d;countHardLimit=%d", maxBytes, maxNodes)
	sealed := []string{"/", "/zookeeper", quotaNode}
	path := quotaNode
	for element := range strings.SplitSeq(s.config.Root[1:], "/") {
		path += "/" + element
		sealed = append(sealed, path)
		if err := s.layOne(ctx, l, path, nil, false); err != nil {
			return err
		}
	}
	for _, node := range []struct{ name, data string }{{"/zookeeper_stats", "count=0,bytes=0"}, {"/zookeeper_limits", limits}} {
		sealed = append(sealed, path+node.name)
		if err := s.layOne(ctx, l, path+node.name, []byte(node.data), false); err != nil {
			return err
		}
	}
	for _, path := range slices.Backward(sealed) {
		if err := s.seal(ctx, l, path); err != nil {
			return err
		}
	}
	return nil
}

// seal lets nobody but us read a node, and nobody change it.
func (s *Session) seal(ctx context.Context, l *link, path string) error {
	want := zk.DigestACL(zk.PermRead, s.config.User, s.config.Password)
	acl, err := ask(ctx, l, func(c *zk.Conn) ([]zk.ACL, error) {
		acl, _, err := c.GetACL(path)
		return acl, err
	})
	// The server hides the hash of the password from those who may not change the ACL.
	hidden := []zk.ACL{{Perms: zk.PermRead, Scheme: "digest", ID: s.config.User + ":x"}}
	if err == nil && !slices.Equal(acl, want) && !slices.Equal(acl, hidden) {
		_, err = ask(ctx, l, func(c *zk.Conn) (*zk.Stat, error) { return c.SetACL(path, want, -1) })
	}
	if errors.Is(err, zk.ErrNoAuth) {
		return fmt.Errorf("%w: %s belongs to somebody else", ErrDenied, path)
	}
	return err
}
