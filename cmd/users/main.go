// Command users is the function for users.
package main

import (
	"context"
	"log/slog"
	"net/netip"

	"rideshare/cmd/internal/boot"
	"rideshare/cmd/internal/function"
	"rideshare/functions/users"
	"rideshare/internal/auth"
	"rideshare/internal/serve"
	"rideshare/internal/tracing"
)

// Config is read from the environment.
type Config struct {
	function.User
	TrustForwardedFor bool           `env:"RIDESHARE_TRUST_FORWARDED_FOR" envDefault:"false" doc:"whether a gateway of ours says in X-Forwarded-For who the client is"`
	TrustedProxies    []netip.Prefix `env:"RIDESHARE_TRUSTED_PROXIES" doc:"networks, as 10.0.0.0/8, of further proxies that append to X-Forwarded-For: what they say counts, too"`
}

func main() { boot.Main("users", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, tracer tracing.Tracer) error {
	options, metrics, err := c.Options("RideShare users", logger, tracer)
	if err != nil {
		return err
	}
	client := c.Client(&options)
	handler := users.New(options, users.Config{
		DB:                client,
		Passwords:         users.NewPasswords(auth.DefaultParams()),
		Tokens:            c.Tokens(),
		TrustForwardedFor: c.TrustForwardedFor,
		TrustedProxies:    c.TrustedProxies,
	})
	return serve.Run(ctx, metrics.Count(handler), c.Serving(logger, tracer))
}
