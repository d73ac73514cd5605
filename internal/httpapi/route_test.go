package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestNotFoundAndMethodNotAllowed(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for _, path := range []string{"/", "/thing", "/things/", "/things/1/2", "/%ff", "/things/..", "//", "/docs", "/openapi.json", "/schemas/Thing.json"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, "BREW"} {
			problem(t, do(h, method, path, nil), 404)
		}
	}
	w := do(h, http.MethodDelete, "/things/1", nil)
	problem(t, w, 405)
	if allow := w.Header().Get("Allow"); allow != "PUT" {
		t.Errorf("Allow: %q", allow)
	}
	w = do(h, http.MethodPost, "/healthz", nil)
	problem(t, w, 405)
	if allow := w.Header().Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow: %q", allow)
	}
}

func TestOddTargets(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for _, u := range []url.URL{{Path: "*"}, {Path: ""}, {Opaque: "x:y"}} {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.URL, r.RequestURI = &u, u.Path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		problem(t, w, 404)
	}
}
