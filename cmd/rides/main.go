// Command rides is the function for rides.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"rideshare/cmd/internal/boot"
	"rideshare/cmd/internal/function"
	"rideshare/functions/rides"
	"rideshare/internal/serve"
	"rideshare/internal/tracing"
)

// Config is read from the environment.
type Config struct {
	function.User
	Areas    int    `env:"RIDESHARE_AREAS" min:"2" envDefault:"198" doc:"areas are numbered from 1 to this"`
	Timezone string `env:"RIDESHARE_TIMEZONE" form:"zone" envDefault:"UTC" doc:"of the timestamps in the API, as in the IANA database"`
}

func main() { boot.Main("rides", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, tracer tracing.Tracer) error {
	location, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return fmt.Errorf("RIDESHARE_TIMEZONE: %w", err)
	}
	options, metrics, err := c.Options("RideShare rides", logger, tracer)
	if err != nil {
		return err
	}
	client := c.Client(&options)
	handler := rides.New(options, rides.Config{DB: client, Areas: int64(c.Areas), Location: location, Now: time.Now})
	return serve.Run(ctx, metrics.Count(handler), c.Serving(logger, tracer))
}
