package binary

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
)

// as sends a request to another host's name, as a browser does for a page that has given its name our
// address.
func (p *process) as(host, method, path, body string) (status int, answer string) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.target.URL+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	req.Host = host
	// To the browser the page's own requests are of one origin.
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Origin", "http://"+host)
	resp, err := p.target.HTTP.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		p.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (p *process) topology() (c cluster.Topology) {
	p.Helper()
	status := 0
	resp, err := p.target.HTTP.Get(p.target.URL + "/api/v1/cluster")
	if err == nil {
		defer resp.Body.Close() //nolint:errcheck // nothing is written to it
		status = resp.StatusCode
		err = json.NewDecoder(resp.Body).Decode(&c)
	}
	if err != nil || status != http.StatusOK {
		p.Fatalf("the topology: %d, %v", status, err)
	}
	return c
}

// TestOtherHosts: a page that gives its own name our address can change nothing and read nothing.
func TestOtherHosts(t *testing.T) {
	t.Setenv("RIDESHARE_HOSTS", "rides.example, 10.1.2.3")
	addr := freeAddr(t)
	p := run(t, addr, t.TempDir())
	_, port, _ := strings.Cut(addr, ":")
	if _, err := p.target.Write(t.Context(), db.Op{Insert: "users", Values: map[string]any{"username": "alice", "password_hash": "none"}}); err != nil {
		t.Fatal(err)
	}
	before := p.topology()
	evil := "evil.example:" + port
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/api/v1/crash/master", ""}, {"POST", "/api/v1/crash/slave", ""}, {"POST", "/api/v1/db/clear", ""},
		{"POST", "/api/v1/cluster/switchover", "{}"}, {"PUT", "/api/v1/cluster/slaves", `{"count":4}`},
		{"POST", "/api/v1/db/write", `{"ops":[{"delete":"users"}]}`}, {"DELETE", "/api/v1/users/alice", ""},
		{"GET", "/api/v1/users", ""}, {"GET", "/api/v1/db/snapshot", ""}, {"GET", "/api/v1/cluster/events", ""}, {"GET", "/api/v1/cluster", ""},
		{"GET", "/", ""}, {"GET", "/app", ""}, {"GET", "/docs", ""}, {"GET", "/openapi.json", ""}, {"GET", "/metrics", ""}, {"GET", "/healthz", ""},
	} {
		if status, answer := p.as(evil, r.method, r.path, r.body); status != http.StatusForbidden || !strings.Contains(answer, "RIDESHARE_HOSTS") {
			t.Errorf("%s %s as %s: %d %s", r.method, r.path, evil, status, answer)
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:" + port, "127.0.0.1:" + port, "[::1]:" + port, "rides.example", "10.1.2.3:80"} {
		if status, answer := p.as(host, "GET", "/api/v1/users", ""); status != http.StatusOK || strings.TrimSpace(answer) != `["alice"]` {
			t.Errorf("as %s: %d %s", host, status, answer)
		}
	}
	if after := p.topology(); after.Epoch != before.Epoch || after.Master != before.Master || after.Desired != before.Desired {
		t.Errorf("%+v became %+v", before, after)
	}
}
