package telemetry

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"rideshare/internal/tracing"
)

// TraceConfig says whether and where spans go, by OpenTelemetry's own variables. The library reads
// further ones itself: OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, OTEL_RESOURCE_ATTRIBUTES,
// OTEL_BSP_*, and the others that begin with OTEL_EXPORTER_OTLP_.
type TraceConfig struct {
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" form:"url" doc:"the collector that gets spans by OTLP over HTTP, http://host:4318; empty: no tracing"`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" form:"url" doc:"the same, with the path: http://host:4318/v1/traces"`
	Exporter       string `env:"OTEL_TRACES_EXPORTER" oneof:"otlp,none" envDefault:"otlp" doc:"none: no tracing"`
	Disabled       bool   `env:"OTEL_SDK_DISABLED" envDefault:"false" doc:"true: no tracing"`
	ServiceName    string `env:"OTEL_SERVICE_NAME" doc:"the name of the process in traces; default: that of the program"`
}

// On reports whether there is tracing.
func (c TraceConfig) On() bool {
	return !c.Disabled && c.Exporter != "none" && c.Endpoint+c.TracesEndpoint != ""
}

// Tracer returns the tracer of a program, nil where there is no tracing, and what sends the last
// spans and ends it. Nothing is dialled before the first spans go out.
func (c TraceConfig) Tracer(ctx context.Context, program, version string) (tracing.Tracer, func(context.Context) error, error) {
	if !c.On() {
		return nil, func(context.Context) error { return nil }, nil
	}
	endpoint := c.TracesEndpoint
	if endpoint == "" {
		endpoint = strings.TrimSuffix(c.Endpoint, "/") + "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, nil, fmt.Errorf("tracing: %w", err)
	}
	if c.ServiceName != "" {
		program = c.ServiceName
	}
	// An attribute of OTEL_RESOURCE_ATTRIBUTES goes before ours.
	attributes, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", program), attribute.String("service.version", version),
	), resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, nil, fmt.Errorf("tracing: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(attributes))
	return tracing.From(provider), provider.Shutdown, nil
}
