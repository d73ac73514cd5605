package gateway_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/gateway"
)

// Where the replica dies that executes a request, the next one gets it, unless it is a command.
func TestADyingReplica(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush() // or nothing of it would leave
		panic(http.ErrAbortHandler)
	}
	for how, dying := range map[string]http.HandlerFunc{"hangs up": hangUp, "breaks off": half} {
		for _, c := range []struct {
			method, path, body string
			want               int
		}{
			{"GET", "/api/v1/rides/count", "", 200},
			{"POST", "/api/v1/rides", "{}", 200},
			{"PUT", "/api/v1/users/a/password", "{}", 200},
			{"DELETE", "/api/v1/rides/1", "", 200},
			{"POST", "/api/v1/db/read", "{}", 200},
			{"POST", "/api/v1/db/write", "{}", 200},
			{"POST", "/api/v1/sessions", "{}", 200},
			{"POST", "/api/v1/crash/master", "", 502},
			{"POST", "/api/v1/cluster/switchover", "{}", 502},
		} {
			if how == "breaks off" && c.want == 502 {
				continue // it has begun its answer: the client gets half of that
			}
			t.Run(how+" "+c.path, func(t *testing.T) {
				t.Parallel()
				var asked atomic.Int64
				var first atomic.Value
				f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					seen := string(body) + r.Header.Get("Idempotency-Key")
					if asked.Add(1) == 1 {
						first.Store(seen)
						dying(w, r)
						return
					}
					if first.Load() != seen {
						t.Errorf("first came %q, then %q", first.Load(), seen)
					}
				})
				code, _ := f.call(c.method, c.path, c.body)
				if code != c.want {
					t.Errorf("it got %d, want %d", code, c.want)
				}
				if n, want := asked.Load(), map[int]int64{200: 2, 502: 1}[c.want]; n != want {
					t.Errorf("functions got %d requests, want %d", n, want)
				}
			})
		}
	}
}

// A replica that takes no connections fails no request, not even a command.
func TestAReplicaThatIsGone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, nil)
	const requests = 6
	for range requests {
		if code, _ := f.call("POST", "/api/v1/crash/slave", ""); code != 200 {
			t.Errorf("it got %d", code)
		}
	}
	if asked.Load() != requests {
		t.Errorf("functions got %d requests, want %d", asked.Load(), requests)
	}
}

// A request that times out does not keep later requests from the same replica.
func TestNoReplicaIsAvoidedForARequest(t *testing.T) {
	t.Parallel()
	f := start(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/rides/slow" {
			<-r.Context().Done()
		}
	})
	for range 2 {
		if code, body := f.call("GET", "/api/v1/rides/slow", ""); code != 504 {
			t.Errorf("it got %d %s", code, body)
		}
		if code, _ := f.call("GET", "/api/v1/rides/count", ""); code != 200 {
			t.Errorf("the next one got %d", code)
		}
	}
}

// Where no replica is known the gateway looks for 15 s, and says then what is wrong.
func TestNoReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := 0
		h, err := gateway.New(gateway.Config{
			Users: "users:1", Rides: "rides:1", Orchestrator: "orchestrator:1", Logger: slog.New(slog.DiscardHandler),
			Lookup: func(context.Context, string) ([]netip.Addr, error) { lookups++; return nil, errors.New("no such host") },
		})
		if err != nil {
			t.Fatal(err)
		}
		w, begun := httptest.NewRecorder(), time.Now()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/users", nil))
		if w.Code != 502 || !strings.Contains(w.Body.String(), "users cannot be reached") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if took := time.Since(begun); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("after %v", took)
		}
		if lookups < 200 || lookups > 301 {
			t.Errorf("%d lookups", lookups)
		}
	})
}

// A command is never sent twice, also on a connection that has been used before, on which net/http would.
func TestACommandOnAUsedConnection(t *testing.T) {
	t.Parallel()
	var commands atomic.Int64
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			commands.Add(1)
			hangUp(w, r)
		}
	})
	for _, header := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		f.call("GET", "/api/v1/cluster", "")
		if code, _ := f.call("POST", "/api/v1/crash/master", "", header, "k"); code != 502 {
			t.Errorf("%s: it got %d, want 502", header, code)
		}
	}
	if n := commands.Load(); n != 2 {
		t.Errorf("functions got %d commands, want 2", n)
	}
}
