package httpapi

import (
	"net/http"
	"testing"
)

func TestSameOrigin(t *testing.T) {
	h := sameOrigin()(reply(200))
	for name, c := range map[string]struct {
		method string
		header []string
		status int
	}{
		"no browser":             {http.MethodPost, nil, 200},
		"our own page":           {http.MethodPost, []string{"Sec-Fetch-Site", "same-origin"}, 200},
		"another site":           {http.MethodPost, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another, old browser":   {http.MethodPut, []string{"Origin", "https://evil.example"}, 403},
		"another site's reading": {http.MethodGet, []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		if w := do(h, c.method, "http://localhost:8080/", nil, c.header...); w.Code != c.status {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	problem(t, do(h, http.MethodPost, "/", nil, "Sec-Fetch-Site", "cross-site"), 403)
}
