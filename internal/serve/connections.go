package serve

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"rideshare/internal/httpapi"
)

// MaxConnections is how many connections a server keeps unless it is told otherwise. Each takes some 20 KB of
// memory. Docker's proxy for published ports fails at 3,300 (docs/operating.md).
const MaxConnections = 3000

// refusals is how many connections beyond the limit are kept until they have had their 503. Any more are closed
// at once.
const refusals = 100

// connections bounds the number of open connections. When one is opened beyond the limit, the connection that
// has been idle for longest is closed. If none is idle, requests on the new one get 503.
type connections struct {
	max int

	mu       sync.Mutex
	open     map[net.Conn]*connection
	accepted int           // of those that are open; the others are being refused
	idle     list.List     // of *connection; the one that has been idle for longest is the first
	none     chan struct{} // holds a value after the last one was closed
}

type connection struct {
	net.Conn
	idle    *list.Element // nil while a request is under way
	refused bool          // set before the connection is served
}

type connectionKey struct{}

func newConnections(most int) *connections {
	return &connections{max: most, open: map[net.Conn]*connection{}, none: make(chan struct{}, 1)}
}

// begin is the server's ConnContext: it is called for each connection before it is served.
func (c *connections) begin(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	added := &connection{Conn: conn}
	if longest := c.idle.Front(); longest != nil && c.accepted >= c.max {
		c.close(longest.Value.(*connection))
	}
	c.open[conn] = added
	if added.refused = c.accepted >= c.max; !added.refused {
		c.accepted++
		added.idle = c.idle.PushBack(added)
	}
	if len(c.open)-c.accepted > refusals {
		c.close(added)
	}
	return context.WithValue(ctx, connectionKey{}, added)
}

// close closes a connection. A request that arrives on it at this moment is lost.
func (c *connections) close(conn *connection) {
	_ = conn.Close() // its goroutine finds out
	c.forget(conn)
}

func (c *connections) forget(conn *connection) {
	if conn.idle != nil {
		c.idle.Remove(conn.idle)
		conn.idle = nil
	}
	if _, ok := c.open[conn.Conn]; ok && !conn.refused {
		c.accepted--
	}
	delete(c.open, conn.Conn)
	if len(c.open) == 0 {
		select {
		case c.none <- struct{}{}:
		default:
		}
	}
}

// changed is the server's ConnState.
func (c *connections) changed(key net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, ok := c.open[key]
	if !ok {
		return // closed here
	}
	switch state {
	case http.StateActive:
		if conn.idle != nil {
			c.idle.Remove(conn.idle)
			conn.idle = nil
		}
	case http.StateIdle:
		if conn.refused {
			c.close(conn)
			return
		}
		conn.idle = c.idle.PushBack(conn)
	case http.StateClosed, http.StateHijacked:
		c.forget(conn)
	case http.StateNew: // begin knows it
	}
}

// refuse answers 503 on connections beyond the limit.
func (c *connections) refuse(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, ok := r.Context().Value(connectionKey{}).(*connection); ok && conn.refused {
			w.Header().Set("Connection", "close")
			w.Header().Set("Retry-After", "1")
			httpapi.NewProblem(http.StatusServiceUnavailable, "all %d connections are in use", c.max).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// drain waits until no connection is open, for up to d: some are never used again.
func (c *connections) drain(d time.Duration) {
	enough := time.NewTimer(d)
	defer enough.Stop()
	for {
		c.mu.Lock()
		open := len(c.open)
		c.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-c.none:
		case <-enough.C:
			return
		}
	}
}
