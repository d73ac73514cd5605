package lambda

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// collector is a collector of spans, which keeps the requests as they come.
type collector struct {
	mu   sync.Mutex
	came [][]byte
}

// ServeHTTP implements http.Handler.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came = append(c.came, body)
}

// take returns what has come since it was called last.
func (c *collector) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := bytes.Join(c.came, nil)
	c.came = nil
	return all
}

// TestSpansAreSentBeforeTheNextInvocation: when an invocation is answered its span has been sent, as
// the process may be frozen from then on.
func TestSpansAreSentBeforeTheNextInvocation(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	s := run(t, bootstrap("users"), append(environment("http://127.0.0.1:1", ""), "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL)...)
	answer := func(id string) {
		t.Helper()
		out, err := s.invoke(t.Context(), eventOf(t, request(http.MethodGet, "/api/v1/nothing", "", "X-Request-Id", id)))
		if err != nil {
			t.Fatal(err)
		}
		if a := answerOf(t, out); a.StatusCode != http.StatusNotFound {
			t.Errorf("%+v, want 404", a)
		}
	}
	for _, id := range []string{"the-first", "the-second"} {
		answer(id)
		if spans := c.take(); !bytes.Contains(spans, []byte(id)) {
			t.Errorf("the span of %s has not come: %q", id, spans)
		}
	}
	server.Close() // which fails no invocation
	answer("the-last")
}
