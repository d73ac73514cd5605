package zookeeper

import (
	"context"
	"fmt"

	"rideshare/internal/registry"
)

// LeadWatchers implements registry.Registry. The same watcher in another session is its ghost: the
// leadership passes to this session.
func (s *Session) LeadWatchers(ctx context.Context, watcher string) error {
	if watcher == "" || len(watcher) > maxName {
		return fmt.Errorf("registry: zookeeper: %.40q cannot lead the watchers", watcher)
	}
	return s.do(ctx, func(ctx context.Context, l *link) error {
		n, found, err := find(ctx, l, s.nodes.watchers)
		if err != nil {
			return err
		}
		if found {
			leader, err := ephemeral(n, decodeLeader)
			if err != nil {
				s.skip(s.nodes.watchers, n, err) // and replaced
			} else if leader != watcher {
				return registry.ErrTaken
			}
		}
		return s.own(ctx, l, s.nodes.watchers, encode(leaderNode{watcher}))
	})
}
