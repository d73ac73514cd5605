package zookeeper

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestNamesAreResolvedAnew: what the library gets are names, so that each dial resolves them.
func TestNamesAreResolvedAnew(t *testing.T) {
	over := false
	r := &rotation{over: func() bool { return over }}
	if err := r.Init([]string{"a.invalid:1", "b.invalid:2"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a.invalid:1", "b.invalid:2", "a.invalid:1"} {
		if got, pause := r.Next(); got != want || pause {
			t.Errorf("%s, pause %v; want %s without one", got, pause, want)
		}
	}
	over = true
	if _, stop := r.Next(); !stop {
		t.Error("the library does not look whether it was closed")
	}
}

func TestPauses(t *testing.T) {
	if d := pauseAfter(0); d != 0 {
		t.Errorf("%s before the first", d)
	}
	for tries := 1; tries < 100; tries++ {
		if d := pauseAfter(tries); d < firstPause/2 || d > longPause {
			t.Errorf("%s after %d tries", d, tries)
		}
	}
}

// TestFirstAnswer: a session outlives two servers in turn that take a connection and say nothing, and a
// slow server has as long as the session lasts in the end.
func TestFirstAnswer(t *testing.T) {
	const session = 6 * time.Second
	for silences, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, session, session} {
		if got := firstAnswer(session, silences); got != want {
			t.Errorf("%v after %d silences, want %v", got, silences, want)
		}
	}
}

// TestHandshakeEnds: a paused server takes connections and says nothing.
func TestHandshakeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close() //nolint:errcheck // a pipe
		g := &guarded{Conn: here, longest: time.Second}
		defer g.Close() //nolint:errcheck // a pipe
		for _, deadline := range []time.Time{{}, time.Now().Add(time.Hour)} {
			began := time.Now()
			if err := g.SetReadDeadline(deadline); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Read(make([]byte, 1)); err == nil || time.Since(began) != time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		}
		g.relax()
		began := time.Now()
		if err := g.SetReadDeadline(began.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Read(make([]byte, 1)); err == nil || time.Since(began) != time.Minute {
			t.Errorf("with a session: %v after %s", err, time.Since(began))
		}
	})
}
