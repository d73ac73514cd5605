// Command users is the function for users.
package main

import (
	"context"
	"log/slog"

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
	function.Clients
}

func main() { boot.Main("users", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, tracer tracing.Tracer) error {
	options, metrics, err := c.Options("RideShare users", logger, tracer)
	if err != nil {
		return err
	}
	client := c.Client(&options)
	handler := users.New(options, users.Config{
		DB:        client,
		Passwords: users.NewPasswords(auth.DefaultParams()),
		Tokens:    c.Tokens(),
		Trust:     c.Trust(),
	})
	return serve.Run(ctx, metrics.Count(handler), c.Serving(logger, tracer))
}
