// Package boot is the way every service starts and ends.
package boot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rideshare/internal/config"
	"rideshare/internal/serve"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
)

// Version is the program's.
const Version = "0.1.0"

// Config is what every service reads, beside its own.
type Config struct {
	LogLevel slog.Level `env:"RIDESHARE_LOG_LEVEL" envDefault:"INFO" doc:"the least level that is logged: DEBUG (every request), INFO, WARN or ERROR"`
	telemetry.TraceConfig
}

// logger returns the logger of a service: JSON lines, with the trace of what they belong to.
func (c Config) logger(out io.Writer, name string) *slog.Logger {
	lines := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: c.LogLevel})
	return slog.New(tracing.LogHandler(lines)).With("service", name)
}

// flushTime is how long the last spans may take to go out.
const flushTime = 3 * time.Second

// Main is the main function of the service name: it reads its configuration C from the
// environment, and runs it until it fails or gets SIGINT or SIGTERM. Logs are JSON lines on stderr.
// The tracer is nil where there is no tracing.
//
// With --healthcheck URL it runs nothing: it asks that URL, and the exit code is the answer. An
// image without a shell has no other way to ask.
func Main[C any](name string, run func(context.Context, C, *slog.Logger, tracing.Tracer) error) {
	check := flag.String("healthcheck", "", "ask this `URL` whether the service is well, and exit")
	flag.Usage = func() { usage[C](flag.CommandLine.Output(), name) }
	flag.Parse()
	if *check != "" {
		exit(name, healthcheck(*check))
	}
	var slack error
	if !UnderLambda() { // there the time until the first request counts
		slack = relaxTimers()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	c, err := config.Load[C](os.Environ())
	common, other := config.Load[Config](os.Environ())
	if err := errors.Join(err, other); err != nil {
		exit(name, err)
	}
	logger := common.logger(os.Stderr, name)
	tracer, flush, err := common.Tracer(ctx, name, Version)
	if err != nil {
		exit(name, err)
	}
	logger.Info("starting", "version", Version, "tracing", common.On())
	if slack != nil {
		logger.Warn("the timer slack cannot be raised, so the program uses more processor time", "why", slack)
	}
	err = run(ctx, c, logger, tracer)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	if err := flush(last); err != nil {
		logger.Warn("the last spans are lost", "why", err)
	}
	cancel()
	if err != nil && !errors.Is(err, context.Canceled) {
		logger.Error("ended", "why", err)
		os.Exit(1)
	}
	logger.Info("stopped")
}

// UnderLambda reports whether Lambda runs the program. The variable is Lambda's own, and no setting.
func UnderLambda() bool { return os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" }

func exit(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func usage[C any](out io.Writer, name string) {
	fmt.Fprintf(out, "Usage: %s [--healthcheck URL]\n\nConfiguration, from the environment (NAME_FILE names a file with the value):\n\n", name)
	for _, v := range append(config.Describe[C](), config.Describe[Config]()...) {
		fmt.Fprintf(out, "  %-28s %s", v.Name, v.Doc)
		if v.Default != "" {
			fmt.Fprintf(out, " (%s)", v.Default)
		}
		fmt.Fprintln(out)
	}
}

func healthcheck(url string) error {
	client := &http.Client{Timeout: 3 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // the status says it
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// Serve serves the handler on the address until ctx ends.
func Serve(ctx context.Context, addr string, h http.Handler) error {
	return serve.Run(ctx, h, serve.Options{Addr: addr})
}

// Retry calls open until it succeeds or ctx ends. Services start in any order.
func Retry[T any](ctx context.Context, logger *slog.Logger, what string, open func() (T, error)) (T, error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		v, err := open()
		if err == nil {
			return v, nil
		}
		logger.Warn("waiting", "for", what, "why", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return v, fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		}
	}
}
