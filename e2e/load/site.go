package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
)

// Site is a running system under test, and the load on it.
type Site struct {
	testing.TB
	Target *Target
	Ledger *Ledger
	// Replicas returns what each running worker's database holds, in a form that is equal where
	// the content and the position are.
	Replicas func(ctx context.Context) (map[string]string, error)
	Patience time.Duration // how long to wait for what must come
}

// Until polls a condition of the running system.
func (s *Site) Until(what string, condition func() bool) {
	s.Helper()
	for deadline := time.Now().Add(s.Patience); !condition(); {
		if time.Now().After(deadline) {
			t, err := s.Topology()
			s.Fatalf("not within %s: %s\n%+v, %v", s.Patience, what, t, err)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.Context().Done():
			s.Fatal(s.Context().Err())
		}
	}
}

// Topology asks for the topology.
func (s *Site) Topology() (t cluster.Topology, err error) {
	a, err := s.Target.Must(context.Background(), http.StatusOK, http.MethodGet, "/cluster", nil)
	if err == nil {
		err = json.Unmarshal(a.Body, &t)
	}
	return t, err
}

// Whole reports whether there is a master, and as many serving workers as there should be.
func (s *Site) Whole() bool { return s.WholeWithout("") }

// WholeWithout is Whole when that worker is not counted on: it has to be replaced.
func (s *Site) WholeWithout(worker string) bool {
	t, err := s.Topology()
	if err != nil || t.Master == "" || len(t.Workers) != t.Desired.Slaves+1 {
		return false
	}
	for _, w := range t.Workers {
		if w.State != cluster.Serving || w.ID == worker {
			return false
		}
	}
	return true
}

// UnderLoad runs the faults while clients write and read.
func (s *Site) UnderLoad(writers, readers int, faults func()) {
	s.Helper()
	generation := s.Ledger.newGeneration()
	names := make([]string, writers)
	for i := range names {
		names[i] = fmt.Sprintf("writer%d-%d", generation, i)
		_, err := s.Target.Write(s.Context(), db.Op{Insert: "users", Values: map[string]any{"username": names[i], "password_hash": "none"}})
		if err != nil {
			s.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(s.Context())
	defer stop()
	var clients sync.WaitGroup
	for _, name := range names {
		clients.Go(func() { s.Target.Writer(ctx, s.Ledger, name) })
	}
	for range readers {
		clients.Go(func() { s.Target.Reader(ctx, s.Ledger) })
	}
	faults()
	stop()
	clients.Wait()
}

// Within takes a measurement, and another while it exceeds its bound, so many in all: processors that
// are shared may be away during one of them, and a fault of the program's is in each. Only times are
// measured so; what is lost or fails counts at once.
func (s *Site) Within(measurements int, measure func() error) {
	s.Helper()
	for n := 1; ; n++ {
		err := measure()
		if err == nil {
			return
		}
		if n >= measurements {
			s.Errorf("measured %d times: %v", n, err)
			return
		}
		s.Logf("measured once more: %v", err)
	}
}

// NoneFailed checks that no request has failed.
func (s *Site) NoneFailed() {
	s.Helper()
	requests, failures := s.Ledger.Failures()
	s.Logf("%d requests, %d failed, %d rides acknowledged", requests, len(failures), s.Ledger.Rides())
	for _, f := range failures[:min(len(failures), 10)] {
		s.Errorf("a request failed: %s", f)
	}
}

// Verdict checks what must hold in the end: the topology is whole again, nothing acknowledged is
// lost, nothing is doubled, and all replicas are equal. Where requests have failed, what they did is not
// known: it may be there without an acknowledgement.
func (s *Site) Verdict() {
	s.Helper()
	s.Until("the topology is whole again", s.Whole)
	_, failures := s.Ledger.Failures()
	faults := s.Ledger.Audit(s.Context(), s.Target, len(failures) > 0)
	for _, f := range faults[:min(len(faults), 10)] {
		s.Error(f)
	}
	s.Agree()
}

// Agree waits until there are as many replicas as there should be, all with the same content.
func (s *Site) Agree() {
	s.Helper()
	s.Until("all replicas are equal", func() bool {
		replicas, err := s.Replicas(s.Context())
		t, err2 := s.Topology()
		if err != nil || err2 != nil {
			return false
		}
		distinct := map[string]bool{}
		for _, content := range replicas {
			distinct[content] = true
		}
		return len(replicas) == t.Desired.Slaves+1 && len(distinct) == 1
	})
}
