package zookeeper

import (
	"context"

	"github.com/go-zookeeper/zk"
)

// Watch implements registry.Registry. A value also arrives whenever the connection has been lost and
// is there again, for what may have been missed.
//
// Each session watches the list of workers, the data of each worker, and the three other nodes. A
// change costs one event and one read per session that watches, however many workers there are,
// and changes that come together wake the owner once. Nothing is polled.
func (s *Session) Watch(ctx context.Context) <-chan struct{} {
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	if !s.closed {
		s.watches[ch] = context.AfterFunc(ctx, func() { s.forget(ch) })
	}
	s.mu.Unlock()
	s.wake()
	return ch
}

func (s *Session) forget(ch chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watches, ch)
}

func (s *Session) watched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watches) > 0
}

// notify puts a value into every watch that has none waiting.
func (s *Session) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch := range s.watches {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// rearm sets the watches that are missing, because they have fired or the session is new. The owner
// is notified after that: what it then reads includes everything from before the watch, and the
// watch tells of everything after.
func (s *Session) rearm(ctx context.Context, l *link) error {
	for _, path := range []string{s.nodes.master, s.nodes.config, s.nodes.watchers} {
		if err := l.watch(ctx, path, existence); err != nil {
			return err
		}
	}
	if err := l.watch(ctx, s.nodes.workers, l.children); err != nil {
		return err
	}
	for _, id := range l.listed() {
		// Not its existence: that would leave a watch behind for every worker that ever was. One
		// that is gone or closed to us has no watch; the list of workers tells when it is back.
		if err := l.watch(ctx, s.nodes.worker(id), contents); err != nil && lost(err) {
			return err
		}
	}
	return nil
}

// watch sets a watch on the path, where there is none. Its outcome is noted even when nobody waits
// for it any more.
func (l *link) watch(ctx context.Context, path string, set func(*zk.Conn, string) error) error {
	if !l.arm(path) {
		return nil
	}
	_, err := ask(ctx, l, func(c *zk.Conn) (struct{}, error) {
		err := set(c, path)
		if err != nil {
			l.disarm(path)
		} else {
			l.rearmed()
		}
		return struct{}{}, err
	})
	return err
}

func existence(c *zk.Conn, path string) error {
	_, _, _, err := c.ExistsW(path)
	return err
}

func contents(c *zk.Conn, path string) error {
	_, _, _, err := c.GetW(path)
	return err
}

func (l *link) children(c *zk.Conn, path string) error {
	ids, _, _, err := c.ChildrenW(path)
	if err == nil {
		l.mu.Lock()
		l.workers = ids
		l.mu.Unlock()
	}
	return err
}
