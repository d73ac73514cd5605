// Package tracing follows one request through all the parts, each of which may be a process of its
// own: spans in OpenTelemetry's terms, and the W3C trace context that goes along with requests and
// messages. It knows OpenTelemetry's API alone; package telemetry makes the Tracer that exports.
//
// A process has a Tracer only where a request comes in: the HTTP middleware and the workers. What
// lies below takes it from the context, so that nothing has to be handed down, and a request that
// is not traced costs one look into its context.
package tracing

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header carries the trace context, in HTTP and in messages.
const Header = "traceparent"

// scope is the name under which our spans are made.
const scope = "rideshare"

// Tracer begins the spans with which a process takes in a request. Nil: there is no tracing.
type Tracer interface {
	trace.Tracer
	// Flush sends the spans that have ended, and returns when they are sent, or ctx ends.
	Flush(ctx context.Context) error
}

// From returns the Tracer of a provider.
func From(p trace.TracerProvider) Tracer { return tracer{p.Tracer(scope), p} }

type tracer struct {
	trace.Tracer
	provider trace.TracerProvider
}

// Flush implements Tracer. A provider without a way to do it keeps no spans back.
func (t tracer) Flush(ctx context.Context) error {
	if p, ok := t.provider.(interface{ ForceFlush(context.Context) error }); ok {
		return p.ForceFlush(ctx)
	}
	return nil
}

// Start begins a span below the one that ctx has. Where that is not recorded, or there is none, it
// begins nothing: the context stays as it is, and the span does nothing.
func Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, None()
	}
	return parent.TracerProvider().Tracer(scope).Start(ctx, name, o...)
}

// None returns a span that does nothing.
func None() trace.Span { return trace.SpanFromContext(context.Background()) }

// End ends a span, as failed where err is not nil.
func End(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// Traceparent returns the trace context of ctx for a message, or "".
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// Remote returns ctx below the span that a message tells of. What is no trace context is ignored.
func Remote(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: traceparent})
}

// Remembered returns the span that a message tells of, for links; not valid where it tells of none,
// or of one that nobody records.
func Remembered(traceparent string) trace.SpanContext {
	s := trace.SpanContextFromContext(Remote(context.Background(), traceparent))
	if !s.IsSampled() {
		return trace.SpanContext{}
	}
	return s
}

// Attributes for Start.
func Attributes(kv ...attribute.KeyValue) trace.SpanStartOption { return trace.WithAttributes(kv...) }

// LogHandler adds the trace of the context to every line that is logged with one.
func LogHandler(h slog.Handler) slog.Handler { return logHandler{h} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		r.AddAttrs(slog.String("trace", s.TraceID().String()), slog.String("span", s.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
