package browser

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// elsewhere serves an empty page at an origin of its own, of another site than that of the system.
func elsewhere(t *testing.T) (origin string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><title>Elsewhere</title>`)
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "http://localhost:" + port
}

// ask lets the page send a request, and returns its status and position, or "refused" where the browser
// keeps the answer from the page.
const ask = `(async () => {
	try {
		const r = await fetch(%q, {method: %q, body: %q || undefined, headers: %s});
		return r.status + " " + /^[0-9]+\.[0-9]+$/.test(r.headers.get("Consistency-Token"));
	} catch { return "refused"; }
})()`

// TestAnotherSite uses the API from the page of another site, which is listed or not, in a real browser.
func TestAnotherSite(t *testing.T) {
	listed, other := elsewhere(t), elsewhere(t)
	s, p := startFor(t, "off", nil, listed), browse(t, "CORS policy", "ERR_FAILED", "403", "400", "405")
	const (
		plain = `{}`
		all   = `{"Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID(), "Consistency-Token": "0.0", "Authorization": "Bearer x",
			"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "X-Request-Id": "1"}`
		alice = `{"username":"alice","password":"e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"}`
		ride  = `{"created_by":"alice","timestamp":"25-12-2099:00-30-08","source":1,"destination":2}`
	)
	for _, c := range []struct {
		origin, method, path, body, header, want string
	}{
		{other, "PUT", "/api/v1/users", alice, all, "refused"},
		{other, "GET", "/api/v1/users", "", plain, "refused"},
		{listed, "GET", "/api/v1/users", "", plain, "204 true"}, // the others have written nothing
		{listed, "PUT", "/api/v1/users", alice, all, "201 true"},
		{listed, "PUT", "/api/v1/users", alice, all, "400 true"},
		{other, "POST", "/api/v1/rides", ride, plain, "refused"}, // no preflight: it is sent, and the system refuses it
		{listed, "GET", "/api/v1/rides?source=1&destination=2", "", plain, "204 true"},
		{listed, "POST", "/api/v1/rides", ride, plain, "201 true"},
		{listed, "GET", "/api/v1/rides?source=1&destination=2", "", all, "200 true"},
		{listed, "DELETE", "/api/v1/rides/1", "", all, "200 true"},
		{listed, "GET", "/api/v1/cluster", "", plain, "refused"},
		{listed, "POST", "/api/v1/db/clear", "", plain, "refused"},
		{listed, "GET", "/api/v1/users", "", all, "200 true"}, // the database was not emptied
		{listed, "GET", "/openapi.json", "", plain, "refused"},
	} {
		p.open(c.origin)
		if got := value[string](p, ask, s.url+c.path, c.method, c.body, c.header); got != c.want {
			t.Errorf("a page of %s, %s %s: %s, want %s", c.origin, c.method, c.path, got, c.want)
		}
	}
	// The pages of the system itself are what they were.
	p.open(s.url + "/docs#create-user")
	p.shows("main", "Cluster")
	p.shows("#create-user", "The body did not arrive within 10 s")
	p.shows("#create-user", "The request comes from a page of another site")
}
