package rides

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rideshare/internal/dbclient"
	"rideshare/internal/serve/servetest"
)

// answering is an orchestrator that always answers the same, at once.
type answering string

// RoundTrip implements http.RoundTripper.
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body) // it is in memory
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

// BenchmarkHandler measures what a request costs the function, with an orchestrator that answers at once: a new
// ride without and with an Idempotency-Key, and a read of one.
func BenchmarkHandler(b *testing.B) {
	created := answering(`{"results":[{"rows":1,"values":{"ride_id":7}}],"position":"1.2"}`)
	found := answering(`{"results":[{"rows":[{"created_by":"alice","departs_at":"2026-12-25T08:30:00Z","destination":2,"ride_id":7,"source":1}]},` +
		`{"rows":[{"username":"bob"}]}],"position":"1.2"}`)
	offer := ride("alice", "25-12-2026:00-30-08", "1", "2")
	for _, c := range []struct {
		name, method, path, body, key string
		behind                        answering
		status                        int
	}{
		{"Create", http.MethodPost, path, offer, "", created, http.StatusCreated},
		{"CreateWithKey", http.MethodPost, path, offer, "k", created, http.StatusCreated},
		{"Get", http.MethodGet, path + "/7", "", "", found, http.StatusOK},
	} {
		b.Run(c.name, func(b *testing.B) {
			h, _ := setup(servetest.Direct, dbclient.New(dbclient.Config{URL: "http://orchestrator", Transport: c.behind}), false)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				if c.key != "" {
					r.Header.Set("Idempotency-Key", c.key)
				}
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != c.status {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
