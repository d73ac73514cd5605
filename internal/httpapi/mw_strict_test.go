package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestAmbiguousQueries(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for query, field := range map[string]string{
		"":                      "-",
		"a=1&b=1":               "-",
		"a&b":                   "-",
		"a=%26a%3D2":            "-",
		"a=1&A=1":               "-", // names are case-sensitive
		"&&":                    "-",
		"a=1&a=2":               "a",
		"a=1&a=1":               "a",
		"a&a":                   "a",
		"a=1&b=1&%61=2":         "a",
		"a=1;b=2":               "query",
		"a=%zz":                 "query",
		"a=%":                   "query",
		"%f=1":                  "query",
		"=1&=2":                 "",
		strings.Repeat("é&", 2): "é",
	} {
		r := httptest.NewRequest(http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`))
		r.URL = &url.URL{Path: "/things/1", RawQuery: query}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if field == "-" {
			if w.Code != 200 {
				t.Errorf("%q: %d %s", query, w.Code, w.Body)
			}
			continue
		}
		if p := problem(t, w, 400); p.Field != field {
			t.Errorf("%q: %+v", query, p)
		}
	}
}

func TestAmbiguousHeaders(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for _, name := range []string{"Authorization", "Consistency-Token", "Idempotency-Key", "Request-Digest"} {
		r := httptest.NewRequest(http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`))
		r.Header[name] = []string{"1.1", "1.1"}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if p := problem(t, w, 400); p.Field != name {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestEncodedBodies(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for encoding, status := range map[string]int{
		"": 200, "identity": 200, "Identity": 200, "identity, identity": 200,
		"gzip": 415, "GZIP": 415, "x-gzip": 415, "br": 415, "identity, gzip": 415, "gzip, identity": 415, "aes128gcm": 415, "*": 415,
	} {
		w := do(h, http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`), "Content-Encoding", encoding)
		if w.Code != status {
			t.Errorf("%q: %d %s", encoding, w.Code, w.Body)
		}
		if status != 415 {
			continue
		}
		if p := problem(t, w, 415); p.Field != "Content-Encoding" || w.Header().Get("Accept-Encoding") != "identity" {
			t.Errorf("%q: %+v %v", encoding, p, w.Header())
		}
	}
	r := httptest.NewRequest(http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`))
	r.Header["Content-Encoding"] = []string{"identity", "gzip"}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	problem(t, w, 415)
}
