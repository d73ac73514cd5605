package httpapi

import (
	"net/http"
	"testing"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
)

func TestConsistencyTokens(t *testing.T) {
	newest := db.Position{Epoch: 2, Seq: 50}
	for name, c := range map[string]struct {
		sent string
		sees db.Position
		want string
	}{
		"nothing known to the request": {"", db.Position{}, "2.50"},
		"seen":                         {"", db.Position{Epoch: 2, Seq: 51}, "2.51"},
		"older than the token":         {"1.60", db.Position{Epoch: 2, Seq: 51}, "1.60"},
		"only the token":               {"1.6", db.Position{}, "1.6"},
	} {
		t.Run(name, func(t *testing.T) {
			h := consistencyTokens(func() db.Position { return newest })(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				request := consistency.FromContext(r.Context())
				if want, _ := db.ParsePosition(c.sent); request.Token() != want {
					t.Errorf("token %v", request.Token())
				}
				request.See(c.sees)
			}))
			w := do(h, http.MethodGet, "/", nil, consistency.Header, c.sent)
			if got := w.Header().Get(consistency.Header); got != c.want || w.Code != 200 {
				t.Errorf("%d, %q, want %q", w.Code, got, c.want)
			}
		})
	}
}

func TestBadConsistencyToken(t *testing.T) {
	h := consistencyTokens(func() db.Position { return db.Position{} })(reply(200))
	for _, sent := range []string{"x", "1", "1.", "-1.2", "1.99999999999999999999", "1.2.3", "1.2 "} {
		w := do(h, http.MethodGet, "/", nil, consistency.Header, sent)
		if p := problem(t, w, 400); p.Field != consistency.Header {
			t.Errorf("%q: %+v", sent, p)
		}
		if got := w.Header().Get(consistency.Header); got != "0.0" {
			t.Errorf("%q comes back as %q", sent, got)
		}
	}
}
