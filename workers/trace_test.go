package workers

import (
	"log/slog"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"rideshare/internal/bus"
	"rideshare/internal/tracing"
)

// waits notes the waits that it is told of.
type waits struct {
	unmeasured
	got []time.Duration
}

func (w *waits) Waited(_ bus.Queue, d time.Duration) { w.got = append(w.got, d) }

// TestBatchOfSeveralTraces: the batch is in the trace of the first, and linked with the others.
func TestBatchOfSeveralTraces(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tracer := tracing.From(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	metrics := &waits{}
	w := New(Config{ID: "p1.1", Logger: slog.New(slog.DiscardHandler), Tracer: tracer, Metrics: metrics})
	const first, second = "00-11111111111111111111111111111111-1111111111111111-01", "00-22222222222222222222222222222222-2222222222222222-01"
	const unrecorded = "00-33333333333333333333333333333333-3333333333333333-00"
	published := time.Now().Add(-time.Second)
	var batch []bus.Delivery
	for _, traceparent := range []string{"", first, unrecorded, second} {
		batch = append(batch, bus.Delivery{Request: bus.Request{Trace: traceparent}, Published: published})
	}
	batch[2].Published = time.Now().Add(time.Hour) // by a clock that is wrong
	_, span := w.takeBatch(t.Context(), batch)
	span.End()

	got := spans.GetSpans()
	if len(got) != 3 {
		t.Fatalf("%d spans, want two waits and a batch", len(got))
	}
	one, other, whole := got[0], got[1], got[2]
	if whole.Name != "batch of writes" || whole.Parent.SpanID().String() != first[36:52] {
		t.Errorf("%s is below %v", whole.Name, whole.Parent)
	}
	if len(whole.Links) != 1 || whole.Links[0].SpanContext.SpanID().String() != second[36:52] {
		t.Errorf("links of the batch: %v", whole.Links)
	}
	for i, s := range []tracetest.SpanStub{one, other} {
		if want := []string{first, second}[i]; s.SpanContext.TraceID().String() != want[3:35] || s.Parent.SpanID().String() != want[36:52] {
			t.Errorf("wait %d is in the trace %s, below %v", i, s.SpanContext.TraceID(), s.Parent)
		}
		if len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != whole.SpanContext.SpanID() {
			t.Errorf("links of wait %d: %v", i, s.Links)
		}
		if !s.StartTime.Equal(published) || s.EndTime.Sub(published) < time.Second {
			t.Errorf("wait %d took %v", i, s.EndTime.Sub(s.StartTime))
		}
	}
	if len(metrics.got) != 4 || metrics.got[0] < time.Second || metrics.got[2] != 0 {
		t.Errorf("waits %v", metrics.got)
	}
}
