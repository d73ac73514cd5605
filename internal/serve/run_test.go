package serve

import (
	"net"
	"testing"
)

// TestListener: 0.0.0.0 is IPv4's alone, whatever the machine has.
func TestListener(t *testing.T) {
	for addr, want := range map[string]string{"0.0.0.0:0": "0.0.0.0", "127.0.0.1:0": "127.0.0.1"} {
		l, err := Listener(addr)
		if err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil || host != want {
			t.Errorf("%s: it listens on %s, %v", addr, l.Addr(), err)
		}
		if conn, err := net.Dial("tcp6", net.JoinHostPort("::1", port)); err == nil {
			t.Errorf("%s: it takes connections to %s", addr, conn.RemoteAddr())
			_ = conn.Close()
		}
		_ = l.Close()
	}
	if _, err := Listener("nonsense"); err == nil {
		t.Error("it listens on nonsense")
	}
}
