// Command gateway is the front door of the containers: it passes requests to the functions.
package main

import (
	"context"
	"log/slog"
	"time"

	"rideshare/cmd/internal/boot"
	"rideshare/gateway"
	"rideshare/internal/serve"
	"rideshare/internal/tracing"
)

// Config is read from the environment.
type Config struct {
	Addr         string        `env:"RIDESHARE_ADDR" form:"address" envDefault:":8080" doc:"where it listens"`
	Users        string        `env:"RIDESHARE_USERS" form:"server" envDefault:"users:8081" doc:"the function users, as host:port; each address of the host is a replica"`
	Rides        string        `env:"RIDESHARE_RIDES" form:"server" envDefault:"rides:8082" doc:"the function rides"`
	Orchestrator string        `env:"RIDESHARE_ORCHESTRATOR" form:"server" envDefault:"orchestrator:8083" doc:"the function orchestrator"`
	Timeout      time.Duration `env:"RIDESHARE_TIMEOUT" min:"1ms" envDefault:"10s" doc:"how long a request may take in a function; 5 s later the gateway answers 504"`
	Connections  int           `env:"RIDESHARE_MAX_CONNECTIONS" min:"1" envDefault:"3000" doc:"how many connections it keeps; for a further one it closes the one that has been idle for longest, or answers 503 where none is idle"`
}

// late is how much longer than a function the gateway waits: the function's own answer says more.
const late = 5 * time.Second

func main() { boot.Main("gateway", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, _ tracing.Tracer) error {
	handler, err := gateway.New(gateway.Config{
		Users: c.Users, Rides: c.Rides, Orchestrator: c.Orchestrator, Timeout: c.Timeout + late, Logger: logger,
	})
	if err != nil {
		return err
	}
	return serve.Run(ctx, handler, serve.Options{Addr: c.Addr, Connections: c.Connections})
}
