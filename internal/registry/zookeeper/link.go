package zookeeper

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

// link is a connection of the client library, which reconnects by itself, and all that is known of
// its state. One link is in use at a time; another one follows only when the server has lost its
// data.
type link struct {
	conn    *zk.Conn
	timeout time.Duration // of the session
	wake    func()
	cancel  context.CancelFunc // ends dialling
	ended   chan struct{}      // closed after the library's last goroutine has ended

	loggedIn bool // the keeper's alone

	mu       sync.Mutex // guards the rest; never held while the library is called
	changed  chan struct{}
	up       bool // there is a session, as far as is known
	gone     bool // it has been down for as long as a call waits
	downs    int  // how often it went down
	prepared bool // logged in, and the nodes are there
	dead     bool // closed
	refused  error
	sessions int // how often there was a session, or the same again
	tries    int // dials since the last session
	open     *guarded
	refusal                      // what the server answered to connects
	armed    map[string]struct{} // paths with a watch
	workers  []string            // nodes below workers, when their list was read last
	unseen   bool                // watches were set, and their owner was not notified since
}

// view is the state of a link at a moment.
type view struct {
	up, gone, prepared, dead bool
	refused                  error
	sessions                 int
	changed                  <-chan struct{} // closed when the view is out of date
}

func (l *link) view() view {
	l.mu.Lock()
	defer l.mu.Unlock()
	return view{l.up, l.gone, l.prepared, l.dead, l.refused, l.sessions, l.changed}
}

// set changes the state, and tells everybody who waits for a change.
func (l *link) set(change func()) {
	l.mu.Lock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	l.wake()
}

// connect makes a link. It is down at first.
func (s *Session) connect() (*link, error) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{
		timeout: s.config.SessionTimeout,
		wake:    s.wake,
		cancel:  cancel,
		ended:   make(chan struct{}),
		changed: make(chan struct{}),
		armed:   map[string]struct{}{},
	}
	l.set(l.down)
	// Not all clients begin at the same server, nor go on to the same one.
	servers := slices.Clone(s.config.Servers)
	rand.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	conn, events, err := zk.Connect(servers, l.timeout,
		zk.WithDialer(func(network, address string, _ time.Duration) (net.Conn, error) {
			return l.dial(ctx, network, address)
		}),
		zk.WithHostProvider(&rotation{over: l.isDead}),
		zk.WithEventCallback(l.event),
		zk.WithLogger(printer{s.log}),
		zk.WithLogInfo(false),
		zk.WithMaxBufferSize(maxPacket),
	)
	if err != nil {
		cancel()
		return nil, err
	}
	l.conn = conn
	go func() {
		for range events { // events come through the callback: this channel drops what does not fit
		}
		close(l.ended)
	}()
	return l, nil
}

// down notes that there is no session, and from when on callers are not made to wait any longer:
// as long as a session lasts, and at first a little longer, for a server that starts with us.
// The mutex is held.
func (l *link) down() {
	l.up = false
	l.downs++
	now, patience := l.downs, l.timeout
	if l.sessions == 0 {
		patience *= 3
	}
	time.AfterFunc(patience, func() {
		l.set(func() { l.gone = l.gone || !l.up && l.downs == now })
	})
}

func (l *link) isDead() bool { return l.view().dead }

// await waits until there is a session.
func (l *link) await(ctx context.Context) error {
	for {
		v := l.view()
		switch {
		case v.dead:
			return errDead
		case v.refused != nil:
			return v.refused
		case v.up && v.prepared:
			return nil
		case v.gone:
			return registry.ErrUnavailable
		}
		select {
		case <-v.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errDead: the link was closed. There may be another one by now.
var errDead = errors.New("registry: zookeeper: closed link")

// close ends the session, where there is one and the server answers within a second. What the
// library does in Close can take a second longer, for nothing, when the connection has just been
// lost: nobody waits for that.
func (l *link) close() {
	wasUp := l.view().up
	l.set(func() { l.dead = true })
	go l.conn.Close()
	if wasUp {
		patience := time.NewTimer(time.Second)
		defer patience.Stop()
		select {
		case <-l.ended:
		case <-patience.C:
		}
	}
	l.cancel()
	l.hangUp()
	<-l.ended
}
