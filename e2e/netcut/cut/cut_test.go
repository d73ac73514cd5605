//go:build linux

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCut cuts in a network namespace of its own, which a process may have that is root.
func TestCut(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestCutChild$", "-test.v")
	child.Env = append(os.Environ(), "CUT_CHILD=1")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := child.CombinedOutput()
	if os.IsPermission(err) && os.Getenv("CI") != "true" {
		t.Skipf("a network namespace cannot be made: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestCutChild") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCutChild(t *testing.T) {
	if os.Getenv("CUT_CHILD") == "" {
		t.Skip("only for TestCut")
	}
	up(t)
	here, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	there, err := net.ListenPacket("udp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	arrives := func(from, to net.PacketConn) bool {
		_, _ = from.WriteTo([]byte("x"), to.LocalAddr()) // dropped on its way out it is an error
		// Twice: a deadline that has passed hides what is there.
		for range 2 {
			_ = to.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if _, _, err := to.ReadFrom(make([]byte, 1)); err == nil {
				return true
			}
		}
		return false
	}
	for _, c := range []struct {
		in, out, fromPeer, toPeer bool
	}{{true, false, false, true}, {false, true, true, false}, {true, true, false, false}} {
		if !arrives(here, there) || !arrives(there, here) {
			t.Fatal("nothing arrives without a cut")
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		peers := []string{"127.0.0.3", there.LocalAddr().(*net.UDPAddr).IP.String()}
		go func() { ended <- cut(ctx, peers, c.in, c.out, time.Minute) }()
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
			if arrives(there, here) == c.fromPeer && arrives(here, there) == c.toPeer {
				break
			}
		}
		if arrives(there, here) != c.fromPeer || arrives(here, there) != c.toPeer {
			t.Errorf("in %t, out %t: from the peer %t, to it %t", c.in, c.out, arrives(there, here), arrives(here, there))
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if !arrives(here, there) || !arrives(there, here) {
		t.Error("the rules stayed")
	}
}

// up brings up the loopback device of a new namespace.
func up(t *testing.T) {
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
