// Package amqptest is what the tests of the packages over RabbitMQ share: a broker with empty
// queues, and a network that fails on demand.
package amqptest

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between a client and the broker, and does to their connections what networks do.
type Proxy struct {
	target   string
	listener net.Listener
	work     sync.WaitGroup
	muted    atomic.Bool
	dropped  atomic.Int64

	mu      sync.Mutex
	links   map[*link]struct{}
	down    bool
	stalled map[Direction]chan struct{} // closed when it ends
	cutAt   int                         // bytes to the broker until everything is cut; 0: never
}

// Direction is one way through a proxy.
type Direction int

// The directions.
const (
	ToBroker Direction = iota
	ToClient
)

// link is one connection through the proxy.
type link struct {
	client, broker net.Conn
	forgotten      atomic.Bool
}

func (l *link) close() {
	_ = l.client.Close() // the only error is that it was closed before
	_ = l.broker.Close()
}

// NewProxy starts a proxy for the broker at an address. It ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: l, links: map[*link]struct{}{}, stalled: map[Direction]chan struct{}{}}
	p.work.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.SetUp(false)
		p.Stall(ToBroker, false)
		p.Stall(ToClient, false)
		p.work.Wait()
	})
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// SetUp lets connections through, or cuts them all and takes no new ones.
func (p *Proxy) SetUp(up bool) {
	p.mu.Lock()
	p.down = !up
	p.mu.Unlock()
	if !up {
		p.Cut()
	}
}

// Cut ends every connection at once, as a reset does.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// CutAfter cuts every connection when so many more bytes have gone to the broker: the broker gets
// the half of a message.
func (p *Proxy) CutAfter(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt = bytes
}

// Stall lets nothing through in a direction, without an end to the connections, until it is called
// with false.
func (p *Proxy) Stall(d Direction, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch gate := p.stalled[d]; {
	case on && gate == nil:
		p.stalled[d] = make(chan struct{})
	case !on && gate != nil:
		close(gate)
		delete(p.stalled, d)
	}
}

// Forget leaves the connections that there are now to themselves: clients see them as open, and
// what they send goes nowhere. Others are let through. The function that it returns ends them.
func (p *Proxy) Forget() (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var forgotten []*link
	for l := range p.links {
		l.forgotten.Store(true)
		_ = l.broker.Close()
		delete(p.links, l)
		forgotten = append(forgotten, l)
	}
	return func() {
		for _, l := range forgotten {
			l.close()
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		broker, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{client: client, broker: broker}
		p.mu.Lock()
		down := p.down
		if !down {
			p.links[l] = struct{}{}
		}
		p.mu.Unlock()
		if down {
			l.close()
			continue
		}
		p.work.Go(func() { p.copy(l, ToBroker, broker, client) })
		p.work.Go(func() { p.copy(l, ToClient, client, broker) })
	}
}

func (p *Proxy) copy(l *link, d Direction, to, from net.Conn) {
	defer func() {
		if l.forgotten.Load() && d == ToClient {
			return
		}
		l.close()
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	mute := muter{proxy: p, dropping: map[uint16]bool{}}
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if d == ToClient {
			if _, err := to.Write(mute.pass(buf[:p.admit(d, n)])); err != nil && !l.forgotten.Load() {
				return
			}
			continue
		}
		let := p.admit(d, n)
		if _, err := to.Write(buf[:let]); err != nil && !l.forgotten.Load() {
			return
		}
		if let < n {
			p.Cut()
			return
		}
	}
}

// admit waits while the direction is stalled, and returns how many of n bytes may pass before the
// connections are cut.
func (p *Proxy) admit(d Direction, n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled[d] != nil {
		gate := p.stalled[d]
		p.mu.Unlock()
		<-gate
		p.mu.Lock()
	}
	if d != ToBroker || p.cutAt == 0 {
		return n
	}
	if p.cutAt > n {
		p.cutAt -= n
		return n
	}
	n, p.cutAt = p.cutAt-1, 0
	return n
}
