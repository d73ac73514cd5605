package main

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// open returns the server before a database in memory, which takes the same statements.
func open(t *testing.T) (*httptest.Server, *sql.DB) {
	t.Helper()
	pool, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	pool.SetMaxOpenConns(1)
	if _, err := pool.Exec(`
		CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL);
		CREATE TABLE rides (ride_id INTEGER PRIMARY KEY AUTOINCREMENT, created_by TEXT NOT NULL,
			source INTEGER NOT NULL, destination INTEGER NOT NULL, departs_at INTEGER NOT NULL);
		CREATE TABLE riders (ride_id INTEGER, username TEXT, joined INTEGER)`); err != nil {
		t.Fatal(err)
	}
	g := &group{nodes: []*node{{pool: pool, role: "SELECT 1"}}, lost: make(chan struct{}, 1)}
	g.lose()
	go g.follow(t.Context())
	s := httptest.NewServer(handler(g))
	t.Cleanup(s.Close)
	for deadline := time.Now().Add(10 * time.Second); ; {
		if code, _ := call(t, s, "GET", "/readyz", ""); code == http.StatusOK {
			return s, pool
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not serve")
		}
	}
}

func call(t *testing.T, s *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(answer))
}

// TestAnswers: the answers are those of the contract.
func TestAnswers(t *testing.T) {
	s, pool := open(t)
	const offer = `{"created_by":"alice","timestamp":"25-12-2090:00-30-08","source":12,"destination":34}`
	for _, step := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"PUT", "/api/v1/users", `{"username":"alice","password":"x"}`, 201, `{}`},
		{"GET", "/api/v1/rides?source=12&destination=34", "", 204, ""},
		{"POST", "/api/v1/rides", offer, 201, `{"rideId":1}`},
		{"POST", "/api/v1/rides", strings.Replace(offer, "2090", "2020", 1), 201, `{"rideId":2}`},
		{"POST", "/api/v1/rides", strings.Replace(offer, "34", "12", 1), 400, `{}`},
		{"POST", "/api/v1/rides", strings.Replace(offer, "34", "199", 1), 400, `{}`},
		{"POST", "/api/v1/rides", strings.Replace(offer, "25-12", "31-02", 1), 400, `{}`},
		{"POST", "/api/v1/rides", `{"unknown":1}`, 400, `{}`},
		{"GET", "/api/v1/rides/1", "", 200, `{"rideId":1,"created_by":"alice","users":["bob","carol"],"timestamp":"25-12-2090:00-30-08","source":12,"destination":34}`},
		{"GET", "/api/v1/rides/2", "", 200, `{"rideId":2,"created_by":"alice","users":[],"timestamp":"25-12-2020:00-30-08","source":12,"destination":34}`},
		{"GET", "/api/v1/rides/3", "", 204, ""},
		{"GET", "/api/v1/rides/x", "", 400, `{}`},
		{"GET", "/api/v1/rides?source=12&destination=34", "", 200, `[{"rideId":1,"username":"alice","timestamp":"25-12-2090:00-30-08"}]`},
		{"GET", "/api/v1/rides?source=12", "", 400, `{}`},
	} {
		if code, body := call(t, s, step.method, step.path, step.body); code != step.code || body != step.want {
			t.Errorf("%s %s %s: %d %s, want %d %s", step.method, step.path, step.body, code, body, step.code, step.want)
		}
		if step.want == `{"rideId":1}` {
			if _, err := pool.Exec(`INSERT INTO riders VALUES (1, 'carol', 2), (1, 'bob', 1)`); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestLost: a database that fails is a 503, and is used again when it is back.
func TestLost(t *testing.T) {
	s, pool := open(t)
	if _, err := pool.Exec(`ALTER TABLE rides RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	if code, body := call(t, s, "GET", "/api/v1/rides/1", ""); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	if _, err := pool.Exec(`ALTER TABLE gone RENAME TO rides`); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		code, body := call(t, s, "GET", "/api/v1/rides/1", "")
		if code == http.StatusNoContent {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not come back: %d %s", code, body)
		}
	}
}
