package dockertest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Ports are taken from below the range from which the kernel serves outgoing connections (32768 to
// 60999 on Linux): nobody else gets them while a container is down, so that it finds its port again.
const (
	firstPort = 20000
	lastPort  = 29999
)

// nextPort is where the search goes on, so that a port is not reused at once.
var nextPort = struct {
	sync.Mutex
	port int
}{port: firstPort + os.Getpid()*37%(lastPort-firstPort)}

// reservePort returns a free port of 127.0.0.1, for this test alone until it ends: a lock on a file
// keeps other test binaries from taking it.
func reservePort(t testing.TB) int {
	t.Helper()
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("rideshare-dockertest.%d", os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	nextPort.Lock()
	defer nextPort.Unlock()
	for range lastPort - firstPort {
		port := nextPort.port
		if nextPort.port++; nextPort.port > lastPort {
			nextPort.port = firstPort
		}
		lock, err := os.OpenFile(filepath.Join(folder, fmt.Sprint(port)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && free(port) {
			t.Cleanup(func() { _ = lock.Close() }) // which unlocks it
			return port
		}
		_ = lock.Close()
	}
	t.Fatalf("no port between %d and %d is free", firstPort, lastPort)
	return 0
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
