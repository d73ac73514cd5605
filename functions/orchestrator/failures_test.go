package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/serve/servetest"
)

func TestBusFailures(t *testing.T) { servetest.Each(t, testBusFailures) }

func testBusFailures(t *testing.T, via servetest.Driver) {
	for name, c := range map[string]struct {
		err                  error
		write, read, control int
		kind                 db.Kind // of the write
	}{
		"full":        {bus.ErrFull, 503, 503, 503, db.Unavailable},
		"unavailable": {fmt.Errorf("dial tcp 10.0.0.1: %w", bus.ErrUnavailable), 503, 503, 503, db.Unknown},
		"closed":      {bus.ErrClosed, 503, 503, 503, db.Unknown},
		"deadline":    {context.DeadlineExceeded, 504, 503, 503, db.Unknown},
		"cancelled":   {context.Canceled, 504, 503, 503, db.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(via, answering("", c.err))
			check := func(path, body string, status int) httpapi.Problem {
				w := do(h, http.MethodPost, path, body)
				p := want(t, w, status, "")
				if status == 503 && w.Header().Get("Retry-After") != "1" {
					t.Errorf("%s: %v", path, w.Header())
				}
				return p
			}
			if p := check(writePath, alice, c.write); p.Kind != c.kind {
				t.Errorf("%+v", p)
			}
			check(clearPath, "", c.write)
			check(readPath, count, c.read)
			check("/api/v1/crash/master", "", c.control)
		})
	}
}

func TestBadReplies(t *testing.T) { servetest.Each(t, testBadReplies) }

func testBadReplies(t *testing.T, via servetest.Driver) {
	for _, body := range []string{``, `{}`, `{"error":{}}`, `[]`, `{"write":null}`, "\xff"} {
		h := open(via, answering(body, nil))
		for path, request := range map[string]string{writePath: alice, readPath: count} {
			if w := do(h, http.MethodPost, path, request); w.Code < 500 {
				t.Errorf("%s %q: %d", path, body, w.Code)
			}
		}
		want(t, do(h, http.MethodGet, "/api/v1/cluster", ""), 503, "")
	}
}

// A request waits for a reply as long as it may, and no longer.
func TestDeadline(t *testing.T) { servetest.Each(t, testDeadline) }

func testDeadline(t *testing.T, via servetest.Driver) {
	synctest.Test(t, func(t *testing.T) {
		waiting := &fakeBus{call: func(ctx context.Context, _ bus.Queue, _ bus.Request) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		h := via(New(httpapi.Options{Guard: (&auth.Policy{}).Guard, Timeout: 3 * time.Second}, Config{Bus: waiting}))
		start := time.Now()
		want(t, do(h, http.MethodPost, writePath, alice), 504, httpapi.UnknownOutcome)
		want(t, do(h, http.MethodPost, readPath, count), 503, "")
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestReady(t *testing.T) { servetest.Each(t, testReady) }

func testReady(t *testing.T, via servetest.Driver) {
	for name, c := range map[string]struct {
		writes, reads int
		err           error
		status        int
	}{
		"all there":      {1, 3, nil, 200},
		"no master":      {0, 3, nil, 503},
		"nobody reads":   {1, 0, nil, 503},
		"the bus is out": {1, 1, errors.New("no connection"), 503},
	} {
		h := open(via, &fakeBus{consumers: func(q bus.Queue) (int, error) {
			return map[bus.Queue]int{bus.Writes: c.writes, bus.Reads: c.reads}[q], c.err
		}})
		if w := do(h, http.MethodGet, "/readyz", ""); w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if w := do(h, http.MethodGet, "/healthz", ""); w.Code != 200 {
			t.Errorf("%s: /healthz %d", name, w.Code)
		}
	}
}
