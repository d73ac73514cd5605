package zookeeper_test

import (
	"net"
	"sync"
	"testing"
)

// Numbers of requests in ZooKeeper's protocol.
const (
	opCreate = 1
	opMulti  = 14
)

// fault is what a proxy does with a request.
type fault int

const (
	pass       fault = iota
	cutBefore        // the server never sees it
	cutAfter         // the server does it, and the client loses the connection instead of the answer
	holdAnswer       // the server does it, and the answer waits for release
)

// proxy stands between a session and the server.
type proxy struct {
	t        *testing.T
	listener net.Listener
	pumps    sync.WaitGroup

	mu      sync.Mutex // guards the rest
	target  string
	cut     bool
	mute    int // how many connections to take and leave without an answer
	ended   bool
	open    map[net.Conn]struct{}
	fault   func(op int32) fault
	release chan struct{}
}

func newProxy(t *testing.T, target string) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: listener, target: target, open: map[net.Conn]struct{}{}, release: make(chan struct{})}
	p.pumps.Go(p.accept)
	t.Cleanup(func() {
		p.mu.Lock()
		p.ended = true
		p.mu.Unlock()
		_ = listener.Close()
		p.Cut()
		p.pumps.Wait()
	})
	return p
}

func (p *proxy) Addr() string { return p.listener.Addr().String() }

// Cut ends every connection, and refuses new ones until Heal.
func (p *proxy) Cut() { p.set(true, "") }

// Heal undoes Cut.
func (p *proxy) Heal() { p.set(false, "") }

// Move leads all to another server.
func (p *proxy) Move(target string) { p.set(false, target) }

func (p *proxy) set(cut bool, target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if target != "" {
		p.target = target
	}
	if cut || target != "" {
		p.drop()
	}
}

// Drop ends every connection.
func (p *proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *proxy) drop() {
	for c := range p.open {
		_ = c.Close()
	}
}

// Mute ends every connection, and leaves the next ones without an answer.
func (p *proxy) Mute(connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = connections
	p.drop()
}

// Inject asks f about each request from now on; nil: none.
func (p *proxy) Inject(f func(op int32) fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Once injects one fault into the next request of that kind. The channel is closed then.
func (p *proxy) Once(op int32, f fault) <-chan struct{} {
	met := make(chan struct{})
	var once sync.Once
	p.Inject(func(o int32) (what fault) {
		if o == op {
			once.Do(func() {
				what = f
				close(met)
			})
		}
		return what
	})
	return met
}

// CutAfter cuts after the next request of that kind, until Heal.
func (p *proxy) CutAfter(op int32) {
	p.Inject(func(o int32) fault {
		if o != op {
			return pass
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cut = true
		return cutAfter
	})
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target, cut, mute := p.target, p.cut || p.ended, p.mute > 0
		if mute {
			p.mute--
			p.open[client] = struct{}{}
		}
		p.mu.Unlock()
		if mute {
			continue
		}
		if cut {
			_ = client.Close()
			continue
		}
		server, err := net.Dial("tcp", target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.join(client, server)
	}
}

func (p *proxy) join(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[client], p.open[server] = struct{}{}, struct{}{}
	if p.cut || p.ended {
		p.drop()
	}
	s := &stream{proxy: p, faults: map[uint32]fault{}}
	end := func() {
		_, _ = client.Close(), server.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, client)
		delete(p.open, server)
	}
	p.pumps.Go(func() { defer end(); pump(server, client, s.request) })
	p.pumps.Go(func() { defer end(); pump(client, server, s.answer) })
}
