package mysql

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between a store and its server.
type proxy struct {
	listener net.Listener
	server   string
	running  sync.WaitGroup

	mu       sync.Mutex
	conns    []net.Conn
	silent   chan struct{} // while it is not nil, everything waits for it to be closed
	commands int           // that the server was sent
}

func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, server: server}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.resume()
		p.cut()
		p.running.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.running.Go(func() { p.pass(server, client, p.count) })
		p.running.Go(func() { p.pass(client, server, func([]byte) {}) })
	}
}

func (p *proxy) pass(to, from net.Conn, see func([]byte)) {
	defer to.Close() //nolint:errcheck // the other end sees it
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			see(buffer[:n])
			p.wait()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				_ = from.Close()
			}
			return
		}
	}
}

// count counts what begins with a packet of number 0: that is a command. A command that comes in
// several reads is one all the same, unless a later part looks like the beginning of one.
func (p *proxy) count(data []byte) {
	if len(data) < 5 || data[3] != 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands++
}

// taken returns the number of commands since it was called last.
func (p *proxy) taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.commands
	p.commands = 0
	return n
}

func (p *proxy) wait() {
	p.mu.Lock()
	silent := p.silent
	p.mu.Unlock()
	if silent != nil {
		<-silent
	}
}

// hush keeps everything back, with the connections open.
func (p *proxy) hush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = make(chan struct{})
}

// resume passes on what was kept back.
func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent != nil {
		close(p.silent)
		p.silent = nil
	}
}

// cut closes every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}
