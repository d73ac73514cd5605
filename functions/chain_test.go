// Package functions_test runs the functions behind one another, as they are deployed.
package functions_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/functions/orchestrator"
	"rideshare/functions/rides"
	"rideshare/functions/users"
	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/consistency"
	"rideshare/internal/dbclient"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
	"rideshare/internal/serve"
)

// brokers is a bus with a worker behind it, that fails as often as fail says.
type brokers struct {
	bus.Bus
	database dbtest.DB
	fail     atomic.Int64
	lose     atomic.Int64 // so many replies get lost after the request was executed
}

func (b *brokers) Call(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
	if b.fail.Add(-1) >= 0 {
		return nil, bus.ErrUnavailable
	}
	reply := b.database.Call(ctx, q, r)
	if b.lose.Add(-1) >= 0 {
		return nil, bus.ErrUnavailable
	}
	return reply, nil
}

func (b *brokers) Inspect(context.Context, bus.Queue) (bus.Stats, error) {
	return bus.Stats{Consumers: 1}, nil
}

// deploy returns users and rides on one API, which call an orchestrator in the same process.
func deploy(b bus.Bus) (h http.Handler, client *dbclient.Client) {
	tokens := auth.NewTokens(secret.New("secret"), time.Now)
	database := secret.New("d4tabase")
	policy := &auth.Policy{On: true, Service: secret.New("s3rvice"), Database: database, Tokens: tokens}
	behind := orchestrator.New(httpapi.Options{Guard: policy.Guard}, orchestrator.Config{Bus: b})
	client = dbclient.New(dbclient.Config{
		URL: "http://orchestrator", Token: database, Transport: serve.InMemory(behind),
	})
	api := httpapi.New(httpapi.Options{Guard: policy.Guard, Newest: client.Newest, Ready: client.Ready})
	users.Register(api, users.Config{
		DB: client, Tokens: tokens, Passwords: users.NewPasswords(auth.Params{Memory: 8, Time: 1, Threads: 1}),
	})
	rides.Register(api, rides.Config{DB: client, Areas: 198, Location: time.UTC, Now: time.Now})
	return api.Handler(), client
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

const alice = `{"username":"alice","password":"3d725109c7e7c0bfb9d709836735b56d943d263f"}`

func TestFromSignUpToRide(t *testing.T) {
	h, _ := deploy(&brokers{})
	if w := do(h, http.MethodPut, "/api/v1/users", alice); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := do(h, http.MethodPost, "/api/v1/sessions", alice)
	var session struct{ Token string }
	if err := json.Unmarshal(w.Body.Bytes(), &session); err != nil || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w = do(h, http.MethodPost, "/api/v1/rides", `{"created_by":"alice","timestamp":"25-12-2999:00-30-08","source":1,"destination":2}`,
		"Authorization", "Bearer "+session.Token)
	if w.Code != 201 || w.Header().Get(consistency.Header) != "1.2" {
		t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
	}
	w = do(h, http.MethodGet, "/api/v1/rides?source=1&destination=2", "")
	if want := `[{"rideId":1,"username":"alice","timestamp":"25-12-2999:00-30-08"}]`; strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := do(h, http.MethodGet, "/readyz", ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A sign-up whose reply is lost is retried under the same id: it is neither done twice nor a
// duplicate of itself.
func TestLostRepliesAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &brokers{}
		h, _ := deploy(b)
		b.fail.Store(2)
		b.lose.Store(2)
		if w := do(h, http.MethodPut, "/api/v1/users", alice); w.Code != 201 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		b.fail.Store(2)
		if w := do(h, http.MethodGet, "/api/v1/users", ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `["alice"]` {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestNoBrokerForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &brokers{}
		h, _ := deploy(b)
		b.fail.Store(1 << 40)
		w := do(h, http.MethodPut, "/api/v1/users", alice)
		if w.Code != 504 || !strings.Contains(w.Body.String(), httpapi.UnknownOutcome) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		w = do(h, http.MethodGet, "/api/v1/users", "")
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
		}
	})
}

// The log was lost and begun anew: what an instance remembers of the old one must not lock it out.
func TestLogBegunAnew(t *testing.T) {
	b := &brokers{}
	h, client := deploy(b)
	do(h, http.MethodPut, "/api/v1/users", alice)
	old := do(h, http.MethodGet, "/api/v1/users", "").Header().Get(consistency.Header)
	b.database.Reset()
	if w := do(h, http.MethodGet, "/api/v1/users", ""); w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := do(h, http.MethodGet, "/api/v1/users", "", consistency.Header, old)
	if w.Code != 400 || !strings.Contains(w.Body.String(), consistency.Header) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := w.Header().Get(consistency.Header); got != client.Newest().String() {
		t.Errorf("the bad token comes back: %s", got)
	}
}

// The digest covers the caller's request, not the write that a function makes from it: every try of a
// sign-up has another salt.
func TestAnotherRequestUnderAKey(t *testing.T) {
	h, _ := deploy(&brokers{})
	key := []string{"Idempotency-Key", "k"}
	for body, status := range map[string]int{
		alice:              201,
		" " + alice + "\n": 201,
		`{"password":"3d725109c7e7c0bfb9d709836735b56d943d263f","username":"alice"}`: 201,
	} {
		if w := do(h, http.MethodPut, "/api/v1/users", body, key...); w.Code != status {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for _, body := range []string{strings.Replace(alice, "alice", "bob", 1), strings.Replace(alice, "3d", "3e", 1)} {
		w := do(h, http.MethodPut, "/api/v1/users", body, key...)
		if w.Code != 422 || !strings.Contains(w.Body.String(), "Idempotency-Key") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	// A caller cannot claim that another request is the same.
	var digest string
	capture := httpapi.New(httpapi.Options{Handlers: map[string]http.Handler{"PUT /": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		digest = httpapi.Digest(r.Context())
	})}}).Handler()
	do(capture, http.MethodPut, "/", alice)
	if w := do(h, http.MethodPut, "/api/v1/users", strings.Replace(alice, "alice", "bob", 1), append(key, httpapi.DigestHeader, digest)...); digest == "" || w.Code != 422 {
		t.Errorf("with a digest of its own: %d %s", w.Code, w.Body)
	}
	if w := do(h, http.MethodGet, "/api/v1/users", ""); strings.TrimSpace(w.Body.String()) != `["alice"]` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
