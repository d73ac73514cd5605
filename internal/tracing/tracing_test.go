package tracing_test

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/tracing"
)

func TestSpansOfTwoProcesses(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tracer := tracing.From(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	ctx, first := tracer.Start(t.Context(), "first")
	called, call := tracing.Start(ctx, "call")
	message := tracing.Traceparent(called)
	_, second := tracer.Start(tracing.Remote(context.Background(), message), "second")
	tracing.End(second, errors.New("it failed"))
	tracing.End(call, nil)
	first.End()

	got := spans.GetSpans() // in the order of their ends
	if len(got) != 3 {
		t.Fatalf("%d spans", len(got))
	}
	for i, parent := range []trace.SpanID{call.SpanContext().SpanID(), first.SpanContext().SpanID(), {}} {
		if got[i].Parent.SpanID() != parent || got[i].SpanContext.TraceID() != first.SpanContext().TraceID() {
			t.Errorf("%s: trace %s, parent %s", got[i].Name, got[i].SpanContext.TraceID(), got[i].Parent.SpanID())
		}
	}
	if got[0].Status.Code != codes.Error || got[1].Status.Code != codes.Unset {
		t.Errorf("status %v and %v", got[0].Status, got[1].Status)
	}
	if c := tracing.Remembered(message); !c.IsValid() || c.SpanID() != call.SpanContext().SpanID() {
		t.Errorf("the message tells of %v", c)
	}
}

func TestWhatIsNoTraceContextIsIgnored(t *testing.T) {
	for _, message := range []string{
		"", "00-trace-01", "00-00000000000000000000000000000000-0000000000000000-01",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX: y",
	} {
		ctx := tracing.Remote(t.Context(), message)
		if got := tracing.Traceparent(ctx); got != "" {
			t.Errorf("%q became %q", message, got)
		}
		if tracing.Remembered(message).IsValid() {
			t.Errorf("%q tells of a span", message)
		}
	}
	// A caller that is not recorded is no reason to record.
	if tracing.Remembered("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").IsValid() {
		t.Error("a span that is not recorded is remembered")
	}
}

// Without tracing nothing is allocated on the way of a request.
func TestOffCostsNothing(t *testing.T) {
	ctx := t.Context()
	allocations := testing.AllocsPerRun(100, func() {
		under, span := tracing.Start(ctx, "commit")
		if tracing.Traceparent(under) != "" {
			t.Error("there is a trace")
		}
		tracing.End(span, nil)
	})
	if allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}
