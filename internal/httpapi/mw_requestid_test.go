package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

func TestRequestIDs(t *testing.T) {
	var seen string
	h := requestIDs(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = RequestID(r.Context()) }))
	for sent, kept := range map[string]bool{
		"abc-123":                true,
		"":                       false,
		"a b":                    false,
		"a\"b":                   false,
		"a\nlevel=ERROR":         false,
		strings.Repeat("x", 128): true,
		strings.Repeat("x", 129): false,
	} {
		w := do(h, http.MethodGet, "/", nil, RequestIDHeader, sent)
		got := w.Header().Get(RequestIDHeader)
		if got != seen || got == "" || (got == sent) != kept {
			t.Errorf("sent %q: answered %q, context has %q", sent, got, seen)
		}
	}
}
