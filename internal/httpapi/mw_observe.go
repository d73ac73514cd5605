package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/tracing"
)

// Observer is told of a request after it was answered. None of the values is the caller's: there are
// few different ones, and they tell nothing of anybody. The method is "other" where it is none of
// HTTP's. The route is the template of the path, as "/api/v1/rides/{rideId}", or "none" where there
// is no such path. Took is the time from the header to the end of the answer.
type Observer func(method, route string, status int, took time.Duration)

// exchange is a request, and how it was answered.
type exchange struct {
	method, route string
	status        int
}

type exchangeKey struct{}

// observe traces requests, and tells of every one that was answered.
func observe(tracer tracing.Tracer, tell Observer) middleware {
	return func(next http.Handler) http.Handler {
		if tracer == nil && tell == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start, answer := time.Now(), track(w)
			e := &exchange{method: knownMethod(r.Method), route: "none"}
			ctx := context.WithValue(r.Context(), exchangeKey{}, e)
			span := tracing.None()
			if tracer != nil && !ofOperators(r.URL.Path) {
				ctx = tracing.Remote(ctx, r.Header.Get(tracing.Header))
				ctx, span = tracer.Start(ctx, e.method, trace.WithSpanKind(trace.SpanKindServer),
					tracing.Attributes(attribute.String("http.request.method", e.method), attribute.String("request", RequestID(ctx))))
			}
			defer func() { // also when the handler cuts the connection
				if e.status = answer.status; e.status == 0 {
					e.status = http.StatusInternalServerError
				}
				finish(span, *e)
				// A stream of events lasts as long as somebody looks at it.
				if tell != nil && answer.Header().Get("Content-Type") != "text/event-stream" {
					tell(e.method, e.route, e.status, time.Since(start))
				}
			}()
			next.ServeHTTP(answer, r.WithContext(ctx))
		})
	}
}

func finish(span trace.Span, e exchange) {
	if !span.IsRecording() {
		return
	}
	span.SetName(e.method + " " + e.route)
	span.SetAttributes(attribute.String("http.route", e.route), attribute.Int("http.response.status_code", e.status))
	if e.status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// noteRoute says which pattern of the ServeMux a request was passed to.
func noteRoute(ctx context.Context, pattern string) {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		_, path, found := strings.Cut(pattern, " ")
		if !found {
			path = pattern
		}
		e.route = path
	}
}

// ofOperators reports whether a path is asked for again and again by whoever watches the system:
// traces of that would bury those of requests.
func ofOperators(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}

// knownMethod keeps what callers make up out of names.
func knownMethod(m string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if slices.Contains(known, m) {
		return m
	}
	return "other"
}
