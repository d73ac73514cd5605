package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func digestOf(body []byte) string { return Digest(withBody(context.Background(), body)) }

func TestDigests(t *testing.T) {
	same := [][]string{
		{`{"a":1,"b":[true,null]}`, ` { "b" : [ true , null ] , "\u0061" : 1 }` + "\n"},
		{`{"a":"é"}`, `{"a":"\u00e9"}`},
		{`{"n":9007199254740993}`},
		{`{"n":9007199254740992}`},
		{`{"n":1}`}, {`{"n":1.0}`}, {`{"n":"1"}`}, {`{"n":[1]}`}, {`{"n":null}`}, {`{}`}, {``}, {`null`}, {`[1,2]`}, {`[2,1]`},
		{`{"a":1,"a":2}`}, {`{"a":2,"a":1}`}, {`{"a":2}`}, {`nonsense`}, {`nonsense `}, {"\xff"},
		{`{"a":"e\u0301"}`},
	}
	seen := map[string]string{}
	for _, bodies := range same {
		digest := digestOf([]byte(bodies[0]))
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`).MatchString(digest) {
			t.Errorf("%q has the digest %q", bodies[0], digest)
		}
		if other, met := seen[digest]; met {
			t.Errorf("%q has the digest of %q", bodies[0], other)
		}
		seen[digest] = bodies[0]
		for _, body := range bodies[1:] {
			if digestOf([]byte(body)) != digest {
				t.Errorf("%q and %q have different digests", bodies[0], body)
			}
		}
	}
	if d := Digest(t.Context()); d != "" {
		t.Errorf("outside of a request: %q", d)
	}
}

// The digest is of the body as it came, and does not change it.
func TestDigestOfARequest(t *testing.T) {
	body := `{ "name":"a" }`
	for method, want := range map[string]string{http.MethodPut: digestOf([]byte(body)), http.MethodDelete: digestOf(nil), http.MethodGet: ""} {
		var got string
		h := LimitBody(100)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = Digest(r.Context())
			sent := make([]byte, len(body))
			if n, _ := r.Body.Read(sent); method == http.MethodPut && string(sent[:n]) != body {
				t.Errorf("the body is %q", sent[:n])
			}
		}))
		r := httptest.NewRequest(method, "/", http.NoBody)
		if method == http.MethodPut {
			r = httptest.NewRequest(method, "/", strings.NewReader(body))
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != want {
			t.Errorf("%s: %q, want %q", method, got, want)
		}
	}
}
