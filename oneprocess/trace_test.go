package oneprocess_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/config"
	"rideshare/internal/serve"
	"rideshare/internal/tracing"
	"rideshare/oneprocess"
)

// client runs a system until the end of the test, and returns what speaks to its gateway.
func client(t *testing.T, change func(*oneprocess.Config)) *http.Client {
	t.Helper()
	return logging(t, slog.DiscardHandler, change)
}

// logging is client, with a place for what the system logs.
func logging(t *testing.T, log slog.Handler, change func(*oneprocess.Config)) *http.Client {
	t.Helper()
	c, err := config.Load[oneprocess.Config](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Data, c.Unsafe, c.CheapPasswords = t.TempDir(), true, true
	change(&c)
	system, err := oneprocess.New(c, "0.0.0-test", slog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- system.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); system.Ready(ctx) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not ready within 20 s")
		}
	}
	return &http.Client{Transport: serve.InMemory(system.Handler())}
}

// do makes a request, and returns the body of the answer.
func do(t *testing.T, c *http.Client, method, path, body string, status int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%s %s: %d %s, %v", method, path, resp.StatusCode, data, err)
	}
	return string(data)
}

const (
	alice = `{"username":"alice","password":"e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"}`
	ride  = `{"created_by":"alice","timestamp":"01-01-2030:00-30-18","source":"1","destination":"2"}`
)

// TestOneTrace follows a request through every part.
func TestOneTrace(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	c := client(t, func(c *oneprocess.Config) { c.Tracer = tracing.From(provider) })
	do(t, c, http.MethodPut, "/api/v1/users", alice, http.StatusCreated)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"a write": {http.MethodPost, "/api/v1/rides", ride, http.StatusCreated, `
POST /api/v1/rides
  POST /api/v1/db/write
    POST /api/v1/db/write
      call writes
        batch of writes
          append to the log
          commit to the database
          execute in the database
        wait in writes
`},
		"a read": {http.MethodGet, "/api/v1/rides/count", "", http.StatusOK, `
GET /api/v1/rides/count
  POST /api/v1/db/read
    POST /api/v1/db/read
      call reads
        answer read
          read from the database
        wait in reads
`},
	} {
		t.Run(name, func(t *testing.T) {
			root, _, _ := strings.Cut(test.want[1:], "\n")
			do(t, c, test.method, test.path, test.body, test.status)
			// The worker ends its last span after it has replied.
			var got string
			for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				if got = tree(spans.GetSpans(), root); got == test.want[1:] {
					return
				}
			}
			t.Errorf("got\n%s\nwant%s", got, test.want)
		})
	}
}

// tree returns the trace that begins with a span of that name: every span by name, those below it
// after it.
func tree(spans tracetest.SpanStubs, root string) string {
	of := map[trace.SpanID][]tracetest.SpanStub{} // by parent
	var first tracetest.SpanStub
	for _, s := range spans {
		of[s.Parent.SpanID()] = append(of[s.Parent.SpanID()], s)
		if s.Name == root && !s.Parent.IsValid() {
			first = s
		}
	}
	left := 0
	for _, s := range spans {
		if s.SpanContext.TraceID() == first.SpanContext.TraceID() {
			left++
		}
	}
	var b strings.Builder
	var write func(s tracetest.SpanStub, indent string)
	write = func(s tracetest.SpanStub, indent string) {
		left--
		b.WriteString(indent + s.Name + "\n")
		below := of[s.SpanContext.SpanID()]
		slices.SortFunc(below, func(a, b tracetest.SpanStub) int { return strings.Compare(a.Name, b.Name) })
		for _, s := range below {
			write(s, indent+"  ")
		}
	}
	if first.Name != "" {
		write(first, "")
	}
	for range left {
		b.WriteString("a span of the trace that is below none of it\n")
	}
	return b.String()
}
