package amqp

import (
	"net"
	"sync"
	"time"
)

// socketRoom is how much may wait to be written before Write waits, too.
const socketRoom = 8 << 20

// socket is a network connection whose Write does not wait for the network. The library's publish
// pays no attention to its context, and holds locks while it writes: on a broker that does not
// read, all that touch the connection would wait with it, their deadlines and the connection's own
// shutdown notwithstanding. Here one goroutine writes, and what gathers while it does goes out
// with the next write: under load one system call carries many messages.
//
// A Write that returned nil says nothing of the network. The library knows no more of its own: what
// arrived is told by confirms.
type socket struct {
	net.Conn
	timeout time.Duration // for one write, after which the connection counts as lost

	mu      sync.Mutex
	changed sync.Cond // pending or err has
	pending []byte
	err     error
}

func newSocket(conn net.Conn, timeout time.Duration) *socket {
	s := &socket{Conn: conn, timeout: timeout}
	s.changed.L = &s.mu
	go s.flush()
	return s
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) > socketRoom && s.err == nil {
		s.changed.Wait() // not for longer than the timeout, as that ends with an error
	}
	if s.err != nil {
		return 0, s.err
	}
	s.pending = append(s.pending, p...)
	s.changed.Broadcast()
	return len(p), nil
}

// Close implements net.Conn. What was not written yet is dropped.
func (s *socket) Close() error {
	s.fail(net.ErrClosed)
	return s.Conn.Close()
}

func (s *socket) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
}

// flush writes what is pending until the connection ends.
func (s *socket) flush() {
	var batch []byte
	for s.take(&batch) {
		err := s.SetWriteDeadline(time.Now().Add(s.timeout))
		if err == nil {
			_, err = s.Conn.Write(batch)
		}
		if err != nil {
			s.fail(err)
			_ = s.Conn.Close() // which ends the library's reader, and so the connection
			return
		}
	}
}

// take waits for something to write and swaps it with the empty batch. False: the end.
func (s *socket) take(batch *[]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) == 0 && s.err == nil {
		s.changed.Wait()
	}
	if s.err != nil {
		return false
	}
	if cap(*batch) > socketRoom/8 {
		*batch = nil // a large message should not be paid for ever after
	}
	*batch, s.pending = s.pending, (*batch)[:0]
	s.changed.Broadcast()
	return true
}
