package workers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/backup"
	"rideshare/internal/cluster"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	logmemory "rideshare/internal/replog/memory"
	"rideshare/internal/secret"
	"rideshare/internal/serve"
	"rideshare/internal/store"
	"rideshare/workers"
)

func TestSnapshotsOverHTTP(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		s.mustWrite("1", addUser("alice"))
		handler := s.workers["w1"].Snapshots(secret.New("secret"))
		client := &http.Client{Transport: serve.InMemory(handler)}
		donor := registry.Member{ID: "w1", Addr: "w1:7000"}
		for _, wrong := range []*secret.Secret{nil, secret.New("Secret"), secret.New("secrets")} {
			if _, err := workers.FetchHTTP(client, wrong)(s.t.Context(), donor); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("with the token %q: %v", wrong.Current(), err)
			}
		}
		body, err := workers.FetchHTTP(client, secret.New("secret"))(s.t.Context(), donor)
		if err != nil {
			t.Fatal(err)
		}
		snapshot, err := io.ReadAll(body)
		if err != nil || !bytes.Contains(snapshot, []byte("alice")) {
			t.Errorf("a snapshot of %d bytes: %v", len(snapshot), err)
		}
	})
}

func TestNobodyGetsASnapshotWhereNoTokenIsSet(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/snapshot", nil)
		r.Header.Set("Authorization", "Bearer ")
		s.workers["w1"].Snapshots(nil).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%d", w.Code)
		}
	})
}

// TestASilentDonorIsGivenUp: its connection lives, and nothing comes.
func TestASilentDonorIsGivenUp(t *testing.T) {
	for name, first := range map[string]string{"from the beginning": "", "after a part": "part "} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, end := serveInBubble(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if first != "" {
						_, _ = io.WriteString(w, first)
						_ = http.NewResponseController(w).Flush()
					}
					<-r.Context().Done()
				})})
				defer end()
				begun := time.Now()
				body, err := workers.FetchHTTP(client, secret.New("secret"))(t.Context(), registry.Member{ID: "w1", Addr: "w1:7000"})
				if err == nil {
					time.Sleep(time.Hour) // importing what has come takes as long as it takes
					begun = time.Now()
					_, err = io.ReadAll(body)
					_ = body.Close()
				}
				if err == nil || !strings.Contains(err.Error(), "nothing came for 30s") || time.Since(begun) != backup.Stall {
					t.Errorf("after %v: %v", time.Since(begun), err)
				}
			})
		})
	}
}

// TestJoinersAskAnother: a worker whose donor gives nothing copies from another.
func TestJoinersAskAnother(t *testing.T) {
	bubble(t, logmemory.Options{MaxBytes: 8 << 10}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		for i := range 200 { // far more than the log keeps
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		s.sameEverywhere()
		for _, id := range []string{"w1", "w2", "w3"} {
			if id != master {
				s.mute = id // the most advanced slave, as they are even
				break
			}
		}
		s.start("w4", "d4")
		s.until("it has joined", func() bool { return s.member("w4").State == cluster.Serving })
		s.sameEverywhere()
	})
}

// slow is a store whose snapshot takes two minutes.
type slow struct{ store.Store }

const parts = 6

// part is more than what buffers on the way hold back.
var part = strings.Repeat("part ", 2000)

// Export implements store.Store.
func (s slow) Export(_ context.Context, to io.Writer) (replog.State, error) {
	for range parts {
		if _, err := io.WriteString(to, part); err != nil {
			return replog.State{}, err
		}
		time.Sleep(20 * time.Second)
	}
	return replog.State{}, nil
}

// pipes is a network within a bubble.
type pipes chan net.Conn

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p <- there
	return here, nil
}

// Accept implements net.Listener.
func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close implements net.Listener.
func (p pipes) Close() error { close(p); return nil }

// Addr implements net.Listener.
func (p pipes) Addr() net.Addr { return &net.IPAddr{} }

// serveInBubble serves on pipes, and returns a client that reaches the server, and what ends it.
func serveInBubble(t *testing.T, server *http.Server) (client *http.Client, end func()) {
	listener, served := make(pipes), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return &http.Client{Transport: &http.Transport{DialContext: listener.dial}}, func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

// TestSnapshotsTakeTheirTime: a snapshot is as slow as whoever imports it, and the server's limit for an
// answer, of which it may take several, is not for it.
func TestSnapshotsTakeTheirTime(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		open := s.open
		s.open = func(ctx context.Context, database string) (store.Store, error) {
			db, err := open(ctx, database)
			return slow{db}, err
		}
		s.found("w1")
		client, end := serveInBubble(t, &http.Server{Handler: s.workers["w1"].Snapshots(secret.New("secret")), WriteTimeout: time.Minute})
		defer end()
		body, err := workers.FetchHTTP(client, secret.New("secret"))(s.t.Context(), registry.Member{ID: "w1", Addr: "w1:7000"})
		if err != nil {
			t.Fatal(err)
		}
		if snapshot, err := io.ReadAll(body); err != nil || string(snapshot) != strings.Repeat(part, parts) {
			t.Errorf("%d bytes, %v", len(snapshot), err)
		}
	})
}
