package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"rideshare/oneprocess"
)

// TestOrigins sends to a running system what a browser sends for the page of a listed origin, and for
// that of another one.
func TestOrigins(t *testing.T) {
	t.Parallel()
	const listed, other = "https://app.example", "https://other.example"
	target := startAs(t, "off", func(c *oneprocess.Config) { c.CORSOrigins = listed + ",http://localhost:3000" })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	const users, cluster = "/api/v1/users", "/api/v1/cluster/switchover"
	ask := func(method, path, origin, body string, header ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, target.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	preflight := []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "content-type,idempotency-key"}
	const body = `{"username":"alice","password":"e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"}`
	for _, c := range []struct {
		name, method, path, origin, body string
		header                           []string
		status                           int
		shared                           bool
	}{
		{"another origin's preflight", "OPTIONS", users, other, "", preflight, 405, false},
		{"another origin's write", "PUT", users, other, body, nil, 403, false},
		{"nothing was written", "GET", users, listed, "", nil, 204, true},
		{"preflight", "OPTIONS", users, listed, "", preflight, 204, true},
		{"write", "PUT", users, listed, body, nil, 201, true},
		{"the same again", "PUT", users, listed, body, nil, 400, true},
		{"read", "GET", users, listed, "", nil, 200, true},
		{"read elsewhere", "GET", "/api/v1/rides/count", "http://localhost:3000", "", nil, 200, true},
		{"another origin's read", "GET", users, other, "", nil, 200, false},
		{"operators' preflight", "OPTIONS", cluster, listed, "", []string{"Access-Control-Request-Method", "POST"}, 405, false},
		{"operators' write", "POST", cluster, listed, "{}", nil, 403, false},
		{"operators' read", "GET", "/api/v1/cluster", listed, "", nil, 200, false},
		{"the database", "POST", "/api/v1/db/clear", listed, "", nil, 403, false},
		{"a page", "GET", "/app", listed, "", nil, 200, false},
		{"the documents", "GET", "/docs", listed, "", nil, 200, false},
	} {
		resp := ask(c.method, c.path, c.origin, c.body, c.header...)
		want := ""
		if c.shared {
			want = c.origin
		}
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != c.status || got != want {
			t.Errorf("%s: %s, Access-Control-Allow-Origin %q, want %d and %q", c.name, resp.Status, got, c.status, want)
		}
		if resp.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: Vary is %q", c.name, resp.Header.Values("Vary"))
		}
	}
}
