package amqptest

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Process is the network of one process, which can die.
type Process struct {
	mu    sync.Mutex
	conns []net.Conn
	dead  bool
}

// Dial makes a connection that ends with the process.
func (p *Process) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		_ = conn.Close()
		return nil, errors.New("amqptest: the process is dead")
	}
	p.conns = append(p.conns, conn)
	return conn, nil
}

// Kill ends the connections, and lets no other be made.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for _, c := range p.conns {
		_ = c.Close()
	}
}
