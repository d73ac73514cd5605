package oneprocess_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"rideshare/internal/httpapi"
	"rideshare/internal/tracing"
	"rideshare/oneprocess"
)

// lines gathers what is logged.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// TestLogLinesOfARequest: both functions that a request passes log its id, and the same trace.
func TestLogLinesOfARequest(t *testing.T) {
	var out lines
	handler := tracing.LogHandler(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := logging(t, handler, func(c *oneprocess.Config) { c.Tracer = tracing.From(sdktrace.NewTracerProvider()) })
	do(t, c, http.MethodPut, "/api/v1/users", alice, http.StatusCreated)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/api/v1/rides", strings.NewReader(ride))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(httpapi.RequestIDHeader, "the-id-of-a-request")
	resp, err := c.Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatal(resp, err)
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	traces := map[string]string{} // by path
	for line := range bytes.Lines(out.all.Bytes()) {
		var l struct{ Msg, Request, Path, Trace string }
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if l.Request == "the-id-of-a-request" {
			traces[l.Path] = l.Trace
		}
	}
	trace := traces["/api/v1/rides"]
	if len(trace) != 32 || traces["/api/v1/db/write"] != trace {
		t.Errorf("traces %v", traces)
	}
}
