package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"rideshare/internal/config"
	"rideshare/internal/serve"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
	"rideshare/oneprocess"
)

// runConfig is read from the environment.
type runConfig struct {
	oneprocess.Config
	telemetry.TraceConfig
}

func newRun(env environment) *cobra.Command {
	var verbose bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the complete system in this process",
		Long: `Run the complete system in this process: gateway, users, rides, orchestrator, queues, a master
and two slaves with a database each, election, watcher and autoscaling. Nothing else is needed.

It is configured by the environment: RIDESHARE_ADDR (127.0.0.1:8080), RIDESHARE_DATA (./data),
RIDESHARE_AUTH (off on a loopback address, else on), RIDESHARE_AREAS (198), RIDESHARE_TIMEZONE (UTC),
RIDESHARE_SLAVES (2), RIDESHARE_AUTOSCALE (true) and others: see docs/configuration.md.

What was acknowledged is on disk: kill it in any way, start it again, and it is there.`,
		Example: "  rideshare run\n  RIDESHARE_ADDR=127.0.0.1:9090 RIDESHARE_DATA=/tmp/rides rideshare run --verbose",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load[runConfig](env.vars)
			if err != nil {
				return usageError{err}
			}
			tracer, flush, err := c.TraceConfig.Tracer(cmd.Context(), "rideshare", version())
			if err != nil {
				return err
			}
			c.Config.Tracer = tracer
			level := slog.LevelWarn
			if verbose {
				level = slog.LevelInfo
			}
			logger := slog.New(tracing.LogHandler(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level})))
			err = runSystem(cmd.Context(), c.Config, logger, env)
			last, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), 3*time.Second)
			defer cancel()
			return errors.Join(err, flush(last))
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log elections, joins and what the watcher does")
	return cmd
}

// runSystem runs the system until ctx ends.
func runSystem(ctx context.Context, c oneprocess.Config, logger *slog.Logger, env environment) error {
	start := time.Now()
	system, err := oneprocess.New(c, version(), logger)
	if err != nil {
		return err
	}
	listener, err := serve.Listener(c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: end it, or set RIDESHARE_ADDR to another address", c.Addr)
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %s (RIDESHARE_ADDR): %w", c.Addr, err)
	}
	// The data plane outlives the server, so that requests under way are answered.
	data, stop := context.WithCancel(context.WithoutCancel(ctx))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return system.Run(data) })
	g.Go(func() error {
		defer stop()
		return serve.HTTP(ctx, listener, system.Handler())
	})
	g.Go(func() error { return welcome(ctx, system, c, listener.Addr(), start, env) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	fmt.Fprintln(env.out, "stopped; everything acknowledged is in", c.Data)
	return nil
}

// reachable returns a URL that leads from this machine to a listener, and in words the addresses that
// it stands for, if it is more than one: 0.0.0.0 and [::] are none that a browser can be given.
func reachable(addr net.Addr) (url, all string) {
	host, port, err := net.SplitHostPort(addr.String())
	ip := net.ParseIP(host)
	switch {
	case err != nil || ip == nil || !ip.IsUnspecified():
		return "http://" + addr.String(), ""
	case ip.To4() != nil:
		return "http://" + net.JoinHostPort("127.0.0.1", port), "all IPv4 addresses"
	default:
		return "http://" + net.JoinHostPort("localhost", port), "all addresses"
	}
}

// welcome waits until the system serves, and says what there is and what to try.
func welcome(ctx context.Context, system *oneprocess.System, c oneprocess.Config, addr net.Addr, start time.Time, env environment) error {
	for system.Ready(ctx) != nil {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	url, reach := reachable(addr)
	out := env.out
	if reach != "" {
		reach = fmt.Sprintf(" (RIDESHARE_ADDR is %s: %s of this machine)", c.Addr, reach)
	}
	fmt.Fprintf(out, "RideShare %s serves on %s%s after %d ms\n\n", version(), url, reach, time.Since(start).Milliseconds())
	operator := &operator{environment: env, url: url, token: system.ServiceToken()}
	client, err := operator.client()
	if err != nil {
		return err
	}
	if topology, err := client.GetCluster(ctx); err == nil {
		if err := operator.printTopology(topology); err != nil {
			return err
		}
	}
	const sha1OfSecret = "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4" // of "secret"
	fmt.Fprintf(out, `
Try:
  curl -X PUT %[1]s/api/v1/users -d '{"username":"alice","password":"%[2]s"}'
  curl -X POST %[1]s/api/v1/rides -d '{"created_by":"alice","timestamp":"01-01-2030:00-30-18","source":"1","destination":"2"}'
  curl '%[1]s/api/v1/rides?source=1&destination=2'
and then, in another terminal:
  rideshare crash master; rideshare status

The API: %[1]s/docs. The data: %[3]s. Ctrl-C stops it.
`, url, sha1OfSecret, c.Data)
	if c.AuthOn() {
		fmt.Fprintf(out, "\nCallers need tokens (RIDESHARE_AUTH=on). The service token is in %s.\n", filepath.Join(c.Data, oneprocess.SecretsFile))
	} else {
		fmt.Fprintln(out, "\nWarning: nobody is asked for a token (RIDESHARE_AUTH=off): whoever reaches this address may do everything.")
		if c.CORSOrigins != "" {
			fmt.Fprintf(out, "Pages of %s may use the public API from every browser that reaches it (RIDESHARE_CORS_ORIGINS).\n", c.CORSOrigins)
		}
	}
	return nil
}
