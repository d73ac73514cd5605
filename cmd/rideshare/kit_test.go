package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/client"
	"rideshare/internal/config"
	"rideshare/internal/serve"
	"rideshare/oneprocess"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// shell runs commands against one system.
type shell struct {
	testing.TB
	url   string
	vars  []string
	stdin io.Reader // nil: commands do not read it
}

// result is what a command has left behind.
type result struct {
	out, err string
	code     int
}

// run runs a command in this process.
func (s *shell) run(args ...string) result {
	s.Helper()
	return s.runContext(context.Background(), args...)
}

func (s *shell) runContext(ctx context.Context, args ...string) result {
	s.Helper()
	var out, err bytes.Buffer
	env := environment{in: s.stdin, out: &out, err: &err, vars: append([]string{"RIDESHARE_URL=" + s.url}, s.vars...)}
	code := run(ctx, env, args)
	return result{out.String(), err.String(), code}
}

// ok runs a command that has to succeed, and returns what it prints.
func (s *shell) ok(args ...string) string {
	s.Helper()
	r := s.run(args...)
	if r.code != 0 {
		s.Fatalf("rideshare %v: exit code %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// decode runs a command with -o json.
func decode[T any](s *shell, args ...string) (v T) {
	s.Helper()
	if err := json.Unmarshal([]byte(s.ok(append(args, "-o", "json")...)), &v); err != nil {
		s.Fatal(err)
	}
	return v
}

// system runs everything in this process until the end of the test, on an address of its own.
func system(t testing.TB) *shell {
	t.Helper()
	t.Chdir(t.TempDir()) // so that no token lies about
	c, err := config.Load[oneprocess.Config]([]string{"RIDESHARE_AUTOSCALE=false"})
	if err != nil {
		t.Fatal(err)
	}
	c.Auth, c.Data, c.Unsafe, c.CheapPasswords = "on", t.TempDir(), true, true
	s, err := oneprocess.New(c, "0.0.0-test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	background(t, s.Run)
	background(t, func(ctx context.Context) error { return serve.HTTP(ctx, listener, s.Handler()) })
	sh := &shell{TB: t, url: "http://" + listener.Addr().String(), vars: []string{"RIDESHARE_SERVICE_TOKEN=" + s.ServiceToken()}}
	if err := sh.client().Readyz(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sh
}

// background runs f until the end of the test. What was started last ends first.
func background(t testing.TB, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("at the end: %v", err)
		}
	})
}

// client is one with the operator's token.
func (s *shell) client() *client.Client {
	token := environment{vars: s.vars}.get("RIDESHARE_SERVICE_TOKEN", "")
	transport := &http.Transport{}
	s.Cleanup(transport.CloseIdleConnections)
	return client.New(s.url, client.WithToken(token), client.WithHTTPClient(&http.Client{Transport: transport}))
}

// answering is a system that answers each path with this, and everything else with 404.
func answering(t testing.TB, answers map[string]string) *shell {
	t.Helper()
	t.Chdir(t.TempDir())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Consistency-Token", "3.9")
		var p client.Problem
		if json.Unmarshal([]byte(body), &p) == nil && p.Status != 0 {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(int(p.Status))
		}
		_, _ = io.WriteString(w, body) // the client may be gone
	}))
	t.Cleanup(server.Close)
	return &shell{TB: t, url: server.URL}
}

// golden compares what was printed with a file in testdata.
func golden(t testing.TB, dir, name, got string) {
	t.Helper()
	path := filepath.Join(dir, "testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nnow it would be\n%s", path, want, got)
	}
}

// eventually waits until f is true.
func (s *shell) eventually(what string, f func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !f(); {
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("not within 20 s: %s", what)
		}
	}
}
