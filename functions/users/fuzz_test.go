package users

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/serve/servetest"
)

// FuzzRequests: no input gets a 500.
func FuzzRequests(f *testing.F) {
	for _, b := range []string{body("alice", sha1), `{}`, `[[[[`, `{"username":null}`, "\xff", `{"username":"\ud800","password":1e999}`} {
		f.Add("alice", "limit=1&after=b", b)
		f.Add(b, b, b)
	}
	f.Add("..", "limit=%zz", strings.Repeat("[", 20_000))
	h, _ := setup(servetest.Direct, &dbtest.DB{}, false)
	f.Fuzz(func(t *testing.T, name, query, body string) {
		for _, target := range []struct{ method, path, raw string }{
			{http.MethodPut, "/api/v1/users", ""},
			{http.MethodGet, "/api/v1/users", ""},
			{http.MethodDelete, "/api/v1/users/" + name, "/api/v1/users/" + url.PathEscape(name)},
			{http.MethodPost, "/api/v1/sessions", ""},
		} {
			r := httptest.NewRequest(target.method, "/", strings.NewReader(body))
			r.URL = &url.URL{Path: target.path, RawPath: target.raw, RawQuery: query}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s %q?%q %q: %d %s", target.method, target.path, query, body, w.Code, w.Body)
			}
		}
	})
}
