// Package zookeeper is the registry on a ZooKeeper server or ensemble, 3.6 or newer. The nodes:
//
//	/rideshare/epoch         the latest epoch; its version changes with every new master
//	/rideshare/master        ephemeral: who is master, of which epoch
//	/rideshare/workers/<id>  ephemeral: a worker, as it describes itself
//	/rideshare/config        what should be
//	/rideshare/watchers      ephemeral: the leading watcher
//	/rideshare/history       what operators have done
//
// DESIGN.md beside the code says what can go wrong with the server and the client library, and
// where it is handled.
package zookeeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

var (
	// ErrDenied: the server does not let this user at the nodes.
	ErrDenied = errors.New("registry: zookeeper: access denied: wrong user or password")
	// ErrOpen: others can get at the nodes too, although there is a password.
	ErrOpen = errors.New("registry: zookeeper: nodes are open to others")
)

// Config is what a Session needs to know.
type Config struct {
	Servers []string // host or host:port; resolved anew for each connection
	// SessionTimeout is how long the server keeps what belongs to a session that it does not hear
	// of; 1 s where 0. The server raises it to its minSessionTimeout: two of its ticks by default.
	SessionTimeout time.Duration
	Root           string // the node above all others; "/rideshare" where empty
	// User and Password are the only ones that get at the nodes. Both empty: everybody does.
	User, Password string
	// Exclusive says that nobody else uses the server: its own nodes are closed to others, too, and a quota
	// bounds what is kept in it. It needs User, and cannot be undone but by the server's superuser.
	Exclusive bool
	Logger    *slog.Logger // nil: nothing is logged
	// Observe is told when there is a session, again or anew, and when there is none any more, as
	// far as is known here; nil: nobody is. It must not wait.
	Observe func(up bool)
}

// Session is one session with ZooKeeper.
type Session struct {
	config Config
	nodes  nodes
	acl    []zk.ACL
	log    *slog.Logger
	poke   chan struct{} // wakes the keeper
	cancel context.CancelFunc
	keeper sync.WaitGroup

	mu      sync.Mutex // guards the rest
	link    *link
	closed  bool
	watches map[chan struct{}]func() bool // the function lets go of the context
	regrets []regret
	skipped map[string]int64 // version of each unreadable node that was logged
}

var _ registry.Registry = (*Session)(nil)

// nodes are the paths.
type nodes struct{ root, epoch, master, workers, config, watchers, history string }

func (n nodes) worker(id string) string { return n.workers + "/" + id }

// Open begins a session. It does not wait for the server, and returns an error for a Config that
// can never work. Whether user and password are right shows in the first call: ErrDenied, ErrOpen.
func Open(c Config) (*Session, error) {
	c.SessionTimeout = cmp.Or(c.SessionTimeout, time.Second)
	c.Root = cmp.Or(c.Root, "/rideshare")
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Session{
		config: c,
		nodes: nodes{
			root: c.Root, epoch: c.Root + "/epoch", master: c.Root + "/master",
			workers: c.Root + "/workers", config: c.Root + "/config", watchers: c.Root + "/watchers", history: c.Root + "/history",
		},
		acl:     zk.WorldACL(zk.PermAll),
		log:     cmp.Or(c.Logger, slog.New(slog.DiscardHandler)),
		poke:    make(chan struct{}, 1),
		watches: map[chan struct{}]func() bool{},
		skipped: map[string]int64{},
	}
	if s.config.Observe == nil {
		s.config.Observe = func(bool) {}
	}
	s.config.Observe(false)
	if c.User != "" {
		s.acl = zk.DigestACL(zk.PermAll, c.User, c.Password)
	}
	var err error
	if s.link, err = s.connect(); err != nil {
		return nil, fmt.Errorf("registry: zookeeper: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.keeper.Go(func() { s.keep(ctx) })
	return s, nil
}

func (c Config) check() error {
	switch {
	case len(c.Servers) == 0:
		return errors.New("registry: zookeeper: no servers")
	case c.Root == "/" || path.Clean(c.Root) != c.Root || !path.IsAbs(c.Root):
		return fmt.Errorf("registry: zookeeper: root %q is not a path like /rideshare", c.Root)
	case (c.User == "") != (c.Password == ""):
		return errors.New("registry: zookeeper: user and password belong together")
	case c.Exclusive && c.User == "":
		return errors.New("registry: zookeeper: a server that is ours alone needs a user")
	case strings.Contains(c.User, ":"):
		return errors.New("registry: zookeeper: a user name must not contain a colon")
	case c.SessionTimeout < 0:
		return errors.New("registry: zookeeper: the session time-out is negative")
	}
	return nil
}

// Close implements registry.Registry. What the session owns vanishes at once, or after the session
// time-out when the server cannot be told within a second.
func (s *Session) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for _, forget := range s.watches {
		forget()
	}
	s.watches = nil
	s.mu.Unlock()
	s.cancel()
	s.keeper.Wait() // it may replace the link
	s.current().close()
	return nil
}

func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Session) current() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// wake lets the keeper look at everything again. It never blocks.
func (s *Session) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}
