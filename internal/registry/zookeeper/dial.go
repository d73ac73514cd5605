package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const (
	maxPacket  = 4 << 20 // of what the server sends; the server's own limit for a node is 1 MiB
	firstPause = 10 * time.Millisecond
	longPause  = 250 * time.Millisecond
)

// dial makes a connection. The pauses between the tries are made here, since those of the library
// are a second long and cannot be changed, and the name is resolved each time: a container that
// was replaced has another address.
func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.hangUp() // the library leaves the connection of an expired session open
	l.mu.Lock()
	pause := pauseAfter(l.tries)
	l.tries++
	l.mu.Unlock()
	if err := sleep(ctx, pause); err != nil {
		return nil, err
	}
	// A third, so that a session outlives one server that does not answer.
	ctx, cancel := context.WithTimeout(ctx, max(l.timeout/3, 100*time.Millisecond))
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g := &guarded{Conn: conn, longest: firstAnswer(l.timeout, l.silences)}
	if l.dead {
		_ = conn.Close()
		return nil, errDead
	}
	l.open = g
	return g, nil
}

// hangUp closes the present connection, if there is one.
func (l *link) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil {
		_ = l.open.Close() // closing again is harmless
		l.open = nil
	}
}

// firstAnswer returns how long a server has for the first answer, after so many silences since the last
// session. A server that starts can take a connection and never answer on it (ZooKeeper 3.9.3: after 1 of 24
// restarts on a busy machine), and the session has to outlive that. A server that is only slow gets more time
// with each try, at most what a session lasts.
func firstAnswer(session time.Duration, silences int) time.Duration {
	return min(session/6<<min(silences, 3), session)
}

func pauseAfter(tries int) time.Duration {
	if tries == 0 {
		return 0
	}
	pause := min(firstPause<<min(tries-1, 10), longPause)
	return pause/2 + rand.N(pause/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guarded is a connection on which the server has to answer the first request in time. The library
// itself would wait ten times as long as a session lasts, or for ever.
type guarded struct {
	net.Conn
	longest time.Duration
	relaxed atomic.Bool // the session has begun, and the library's own deadlines are right
	silent  atomic.Bool // there was no first answer in time
}

func (g *guarded) relax() { g.relaxed.Store(true) }

// Read implements net.Conn.
func (g *guarded) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) && !g.relaxed.Load() {
		g.silent.Store(true)
	}
	return n, err
}

// SetReadDeadline implements net.Conn.
func (g *guarded) SetReadDeadline(t time.Time) error {
	latest := time.Now().Add(g.longest)
	if !g.relaxed.Load() && (t.IsZero() || t.After(latest)) {
		t = latest
	}
	return g.Conn.SetReadDeadline(t)
}

// rotation gives the servers in turn, by name, and without a pause: dial makes it.
type rotation struct {
	servers []string
	next    int
	over    func() bool
}

// Init implements zk.HostProvider.
func (r *rotation) Init(servers []string) error {
	r.servers = servers
	return nil
}

// Len implements zk.HostProvider.
func (r *rotation) Len() int { return len(r.servers) }

// Next implements zk.HostProvider. Only where it returns true does the library look whether it was
// closed.
func (r *rotation) Next() (string, bool) {
	server := r.servers[r.next%len(r.servers)]
	r.next++
	return server, r.over()
}

// Connected implements zk.HostProvider.
func (r *rotation) Connected() {}

// printer is the library's logger, which writes to stdout by default. What matters is logged by
// the keeper.
type printer struct{ log *slog.Logger }

// Printf implements zk.Logger.
func (p printer) Printf(format string, args ...any) {
	p.log.Debug("zookeeper client", "message", fmt.Sprintf(format, args...))
}
