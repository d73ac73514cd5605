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

// enclose closes a server that is ours alone to all other users, and bounds what those who have the password may keep
// in it. The bounds count from when the server's administrator switches them on (enforceQuota).
func (s *Session) enclose(ctx context.Context, l *link) error {
	const quota = "/zookeeper/quota"
	for _, path := range []string{"/", "/zookeeper", quota} {
		acl, err := ask(ctx, l, func(c *zk.Conn) ([]zk.ACL, error) {
			acl, _, err := c.GetACL(path)
			return acl, err
		})
		if err == nil && !slices.Equal(acl, s.acl) {
			_, err = ask(ctx, l, func(c *zk.Conn) (*zk.Stat, error) { return c.SetACL(path, s.acl, -1) })
		}
		if errors.Is(err, zk.ErrNoAuth) {
			return fmt.Errorf("%w: %s belongs to somebody else", ErrDenied, path)
		}
		if err != nil {
			return err
		}
	}
	path := quota
	for _, element := range strings.Split(s.config.Root[1:], "/") {
		path += "/" + element
		if err := s.layOne(ctx, l, path, nil, true); err != nil {
			return err
		}
	}
	// As setquota of zkCli.sh writes it: -1 is no limit, and what follows "bytes" are the hard limits.
	limits := fmt.Sprintf("count=-1,bytes=-1=;byteHardLimit=%d;countHardLimit=%d", maxBytes, maxNodes)
	if err := s.layOne(ctx, l, path+"/zookeeper_stats", []byte("count=0,bytes=0"), true); err != nil {
		return err
	}
	return s.layOne(ctx, l, path+"/zookeeper_limits", []byte(limits), true)
}
