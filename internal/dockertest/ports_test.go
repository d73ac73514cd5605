package dockertest

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

func TestPortsAreDifferent(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]bool{}
	var work sync.WaitGroup
	for range 20 {
		work.Go(func() {
			port := reservePort(t)
			mu.Lock()
			defer mu.Unlock()
			if seen[port] || port < firstPort || port > lastPort {
				t.Errorf("port %d was given", port)
			}
			seen[port] = true
		})
	}
	work.Wait()
}

func TestPortsInUseAreLeftAlone(t *testing.T) {
	nextPort.Lock()
	port := nextPort.port
	nextPort.Unlock()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Skip(err) // somebody else has it: as good
	}
	defer l.Close() //nolint:errcheck // nothing depends on it
	if got := reservePort(t); got == port {
		t.Errorf("port %d was given, which is in use", port)
	}
}
