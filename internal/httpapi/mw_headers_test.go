package httpapi

import (
	"net/http"
	"testing"
)

func TestSecureHeaders(t *testing.T) {
	w := do(secureHeaders(reply(200)), http.MethodGet, "/", nil)
	for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control"} {
		if w.Header().Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
}
