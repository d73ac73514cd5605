package rides

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
	for _, b := range []string{
		ride("alice", "25-12-2026:00-30-08", "1", `"2"`), rider("alice"), `{}`, `[[[[`, `null`, "\xff",
		`{"created_by":"\ud800","timestamp":null,"source":{},"destination":[1e999]}`,
	} {
		f.Add("7", "source=1&destination=2", b)
		f.Add(b, b, b)
	}
	f.Add("count", "source=%zz&&=", strings.Repeat(`{"source":`, 20_000))
	h, _ := setup(servetest.Direct, &dbtest.DB{}, false)
	f.Fuzz(func(t *testing.T, id, query, body string) {
		for _, target := range []struct{ method, path, raw string }{
			{http.MethodPost, path, ""},
			{http.MethodGet, path, ""},
			{http.MethodGet, path + "/" + id, path + "/" + url.PathEscape(id)},
			{http.MethodPost, path + "/" + id, path + "/" + url.PathEscape(id)},
			{http.MethodDelete, path + "/" + id, path + "/" + url.PathEscape(id)},
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
