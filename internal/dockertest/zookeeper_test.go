package dockertest

import (
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

// TestZooKeeper: short sessions are granted, the four letter words answer, and what was written is
// there after a kill.
func TestZooKeeper(t *testing.T) {
	Require(t)
	Image(t, "zookeeper") // not part of the time
	began := time.Now()
	s := ZooKeeper(t)
	t.Logf("a new ZooKeeper serves after %v", time.Since(began).Round(10*time.Millisecond))

	for word, want := range map[string]string{"ruok": "imok", "srvr": "Mode: standalone", "conf": "minSessionTimeout=400"} {
		if answer, err := s.Ask(t.Context(), word); err != nil || !strings.Contains(answer, want) {
			t.Errorf("%s: %q, %v", word, answer, err)
		}
	}
	conn := connect(t, s)
	if _, err := conn.Create("/mark", []byte("1"), 0, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	if clients, err := s.Ask(t.Context(), "cons"); err != nil || !strings.Contains(clients, "to=1000,") {
		t.Errorf("a session of 1 s was not granted: %s, %v", clients, err)
	}

	s.Kill(t)
	began = time.Now()
	s.Start(t)
	s.Await(t)
	t.Logf("a killed ZooKeeper serves %v after its start", time.Since(began).Round(10*time.Millisecond))
	if data, _, err := connect(t, s).Get("/mark"); err != nil || string(data) != "1" {
		t.Errorf("after the kill there is %q, %v", data, err)
	}
}

func connect(t *testing.T, s *ZooKeeperServer) *zk.Conn {
	t.Helper()
	conn, events, err := zk.Connect(s.Servers(), time.Second, zk.WithLogger(log.New(io.Discard, "", 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	timeout := time.After(20 * time.Second)
	for {
		select {
		case e := <-events:
			if e.State == zk.StateHasSession {
				return conn
			}
		case <-timeout:
			t.Fatal("no session")
		}
	}
}
