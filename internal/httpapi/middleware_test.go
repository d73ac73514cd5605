package httpapi

import (
	"net/http"
	"slices"
	"testing"
)

func TestChainOrder(t *testing.T) {
	var order []string
	named := func(name string) middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}
	}
	do(chain(reply(200), named("outer"), named("inner")), http.MethodGet, "/", nil)
	if !slices.Equal(order, []string{"outer", "inner"}) {
		t.Errorf("%v", order)
	}
}

// What is answered without an operation has the headers of every answer too.
func TestEveryAnswerHasTheHeaders(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for _, path := range []string{"/healthz", "/readyz", "/nowhere"} {
		w := do(h, http.MethodGet, path, nil, "Consistency-Token", "1.5")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff",
			"Consistency-Token":      "1.5",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if w.Header().Get(RequestIDHeader) == "" {
			t.Errorf("%s: no request id", path)
		}
	}
}
