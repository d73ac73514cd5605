package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/httpapi"
	"rideshare/internal/serve/servetest"
)

// fakeBus is a bus of functions. What is nil is not to be called.
type fakeBus struct {
	bus.Bus
	call      func(context.Context, bus.Queue, bus.Request) ([]byte, error)
	consumers func(bus.Queue) (int, error)
}

func (b *fakeBus) Call(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
	return b.call(ctx, q, r)
}

// Inspect tells of twice as many messages as consumers, so that tests can tell them apart.
func (b *fakeBus) Inspect(_ context.Context, q bus.Queue) (bus.Stats, error) {
	n, err := b.consumers(q)
	return bus.Stats{Waiting: 2 * n, Consumers: n}, err
}

// over is a bus with a worker behind it.
func over(database *dbtest.DB) *fakeBus {
	return &fakeBus{call: func(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
		if q == bus.Control {
			return nil, errors.New("not a database request")
		}
		return database.Call(ctx, q, r), nil
	}}
}

// answering is a bus that always answers the same.
func answering(body string, err error) *fakeBus {
	return &fakeBus{call: func(context.Context, bus.Queue, bus.Request) ([]byte, error) { return []byte(body), err }}
}

// open returns the function over a bus, where nobody is asked for a token.
func open(via servetest.Driver, b bus.Bus) http.Handler {
	return via(New(httpapi.Options{Guard: (&auth.Policy{}).Guard}, Config{Bus: b}))
}

func do(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// want checks the status and the body, of which a problem only has to contain it.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, body string) httpapi.Problem {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %.300s", w.Code, status, w.Body)
	}
	var p httpapi.Problem
	if status >= 400 {
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != status || !strings.Contains(p.Detail, body) {
			t.Errorf("want a problem with %q: %.300s", body, w.Body)
		}
		return p
	}
	if got := strings.TrimSuffix(w.Body.String(), "\n"); got != body {
		t.Errorf("body %s, want %s", got, body)
	}
	return p
}
