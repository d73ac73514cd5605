package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"rideshare/internal/tracing"
)

// observed is an API that says what it was observed to answer.
func observed(tracer tracing.Tracer) (http.Handler, *[]string) {
	var got []string
	api := New(Options{
		Tracer: tracer,
		Observe: func(method, route string, status int, took time.Duration) {
			if took < 0 {
				route = "negative"
			}
			got = append(got, fmt.Sprint(method, " ", route, " ", status))
		},
		Handlers: map[string]http.Handler{
			"GET /cut": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			"GET /events": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
			}),
		},
	})
	Register(api, huma.Operation{OperationID: "get", Method: http.MethodGet, Path: "/rides/{id}"}, nil,
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*struct{}, error) {
			if in.ID == "broken" {
				return nil, fmt.Errorf("it is broken")
			}
			_, span := tracing.Start(ctx, "inside")
			span.End()
			return &struct{}{}, nil
		})
	return api.Handler(), &got
}

func TestObserve(t *testing.T) {
	h, got := observed(nil)
	do(h, http.MethodGet, "/rides/alice", nil)
	do(h, http.MethodGet, "/rides/broken", nil)
	do(h, http.MethodGet, "/no/such/path", nil)
	do(h, http.MethodPut, "/rides/alice", nil)
	do(h, "BREW", "/rides/alice", nil)
	do(h, http.MethodGet, "/events", nil) // as long as somebody looks: not measured
	func() {
		defer func() { _ = recover() }()
		do(h, http.MethodGet, "/cut", nil)
	}()
	want := []string{
		"GET /rides/{id} 204", "GET /rides/{id} 500", "GET none 404", "PUT none 405", "other none 405", "GET /cut 500",
	}
	if !slices.Equal(*got, want) {
		t.Errorf("got  %q\nwant %q", *got, want)
	}
}

func TestSpansOfRequests(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	h, _ := observed(tracing.From(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))))
	const caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	do(h, http.MethodGet, "/rides/7", nil, "traceparent", caller)
	do(h, http.MethodGet, "/rides/broken", nil, "traceparent", "nonsense")
	do(h, http.MethodGet, "/healthz", nil)
	got := spans.GetSpans()
	if len(got) != 3 {
		t.Fatalf("%d spans: %v", len(got), got)
	}
	inside, server, failed := got[0], got[1], got[2]
	if server.Name != "GET /rides/{id}" || server.Parent.SpanID().String() != "b7ad6b7169203331" ||
		server.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("%s, parent %v", server.Name, server.Parent)
	}
	if inside.Parent.SpanID() != server.SpanContext.SpanID() {
		t.Errorf("what happens inside is below %v", inside.Parent)
	}
	if failed.Parent.IsValid() || failed.Status.Code != codes.Error {
		t.Errorf("parent %v, status %v", failed.Parent, failed.Status)
	}
}
