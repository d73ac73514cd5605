package serve

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// site is a server with a limit of connections. A request for /busy is answered when release is closed.
type site struct {
	*testing.T
	address string
	busy    chan struct{} // gets a value when a request is under way
	release chan struct{}
}

func newSite(t *testing.T, most int) *site {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t, l.Addr().String(), make(chan struct{}), make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- limited(ctx, l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/busy" {
				s.busy <- struct{}{}
				<-s.release
			}
		}), most)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *site) dial() net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a request on the connection, and returns the status of the answer: 0 if the connection was closed.
func (s *site) ask(conn net.Conn, path string) int {
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		return 0
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func TestTheConnectionThatIsIdleForLongestIsClosed(t *testing.T) {
	s := newSite(t, 3)
	silent, used, other := s.dial(), s.dial(), s.dial()
	for _, conn := range []net.Conn{used, other, used} { // silent was never used: it has been idle for longest
		if code := s.ask(conn, "/"); code != 200 {
			t.Fatalf("it got %d", code)
		}
	}
	if code := s.ask(s.dial(), "/"); code != 200 {
		t.Errorf("the fourth connection got %d", code)
	}
	if _, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the silent connection is not closed: %v", err)
	}
	for _, conn := range []net.Conn{used, other} {
		if code := s.ask(conn, "/"); code != 200 {
			t.Errorf("a connection in use got %d", code)
		}
	}
}

func TestNoConnectionIsLeft(t *testing.T) {
	const most = 2
	s := newSite(t, most)
	first := make(chan int, most)
	for range most {
		conn := s.dial()
		go func() { first <- s.ask(conn, "/busy") }()
		<-s.busy
	}
	silent := s.dial() // it is refused, too, and makes no room for others
	for range 2 {
		if code := s.ask(s.dial(), "/busy"); code != 503 {
			t.Errorf("a connection too many got %d, want 503", code)
		}
	}
	defer silent.Close() //nolint:errcheck // the server may have done so
	close(s.release)
	for range most {
		if code := <-first; code != 200 {
			t.Errorf("a request under way got %d", code)
		}
	}
	// The server may not have noticed yet that they are idle.
	for end := time.Now().Add(10 * time.Second); s.ask(s.dial(), "/") != 200; {
		if time.Now().After(end) {
			t.Fatal("no connection is served any more")
		}
	}
}
