package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	var err error
	h := New(Options{Ready: func(context.Context) error { return err }}).Handler()
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := do(h, http.MethodGet, path, nil); w.Code != 200 || strings.TrimSpace(w.Body.String()) != "{}" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	err = errors.New("nobody consumes writes")
	if w := do(h, http.MethodGet, "/healthz", nil); w.Code != 200 {
		t.Errorf("/healthz: %d", w.Code)
	}
	w := do(h, http.MethodGet, "/readyz", nil)
	if p := problem(t, w, 503); !strings.Contains(p.Detail, err.Error()) || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%+v %v", p, w.Header())
	}
	if w := do(New(Options{}).Handler(), http.MethodGet, "/readyz", nil); w.Code != 200 {
		t.Errorf("nothing to look at: %d", w.Code)
	}
}
