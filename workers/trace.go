package workers

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/bus"
	"rideshare/internal/tracing"
)

// takeBatch notes that a batch of writes was taken from the queue. Where any of their callers is
// traced it begins a span for the batch: below the first of them, with links to the others, whose
// own traces have a link to the batch in turn.
func (w *Worker) takeBatch(ctx context.Context, batch []bus.Delivery) (context.Context, trace.Span) {
	now := time.Now()
	var callers []trace.SpanContext
	var waits []time.Time // since when each of the callers does
	for _, d := range batch {
		w.waited(bus.Writes, d, now)
		if w.Tracer == nil || d.Trace == "" {
			continue
		}
		if c := tracing.Remembered(d.Trace); c.IsValid() {
			callers, waits = append(callers, c), append(waits, d.Published)
		}
	}
	if len(callers) == 0 {
		return ctx, tracing.None()
	}
	var links []trace.Link
	for _, c := range callers[1:] {
		links = append(links, trace.Link{SpanContext: c})
	}
	traced, span := w.Tracer.Start(trace.ContextWithRemoteSpanContext(ctx, callers[0]), "batch of writes",
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...), trace.WithTimestamp(now),
		tracing.Attributes(attribute.String("worker", w.ID), attribute.Int("messaging.batch.message_count", len(batch))))
	for i, c := range callers {
		w.traceWait(ctx, bus.Writes, c, waits[i], now, trace.Link{SpanContext: span.SpanContext()})
	}
	return traced, span
}

// takeRead notes that a read was taken from the queue, and begins its span.
func (w *Worker) takeRead(ctx context.Context, d bus.Delivery) (context.Context, trace.Span) {
	now := time.Now()
	w.waited(bus.Reads, d, now)
	var caller trace.SpanContext
	if w.Tracer != nil && d.Trace != "" {
		caller = tracing.Remembered(d.Trace)
	}
	if !caller.IsValid() {
		return ctx, tracing.None()
	}
	w.traceWait(ctx, bus.Reads, caller, d.Published, now)
	return w.Tracer.Start(trace.ContextWithRemoteSpanContext(ctx, caller), "answer read",
		trace.WithSpanKind(trace.SpanKindConsumer), tracing.Attributes(attribute.String("worker", w.ID)))
}

func (w *Worker) waited(q bus.Queue, d bus.Delivery, now time.Time) {
	if !d.Published.IsZero() {
		w.Metrics.Waited(q, max(now.Sub(d.Published), 0)) // the clocks of two machines
	}
}

// traceWait makes the span of the time that a request has waited in its queue.
func (w *Worker) traceWait(ctx context.Context, q bus.Queue, caller trace.SpanContext, since, until time.Time, links ...trace.Link) {
	if since.IsZero() || since.After(until) {
		since = until
	}
	_, span := w.Tracer.Start(trace.ContextWithRemoteSpanContext(ctx, caller), "wait in "+string(q),
		trace.WithTimestamp(since), trace.WithLinks(links...))
	span.End(trace.WithTimestamp(until))
}
