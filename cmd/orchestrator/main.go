// Command orchestrator is the function before the database.
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"rideshare/cmd/internal/boot"
	"rideshare/cmd/internal/function"
	"rideshare/functions/orchestrator"
	"rideshare/internal/amqp"
	"rideshare/internal/bus/rabbitmq"
	"rideshare/internal/secret"
	"rideshare/internal/serve"
	"rideshare/internal/tracing"
	"rideshare/workers"
)

// Config is read from the environment.
type Config struct {
	function.Config
	function.Clients
	DatabaseToken *secret.Secret `env:"RIDESHARE_DATABASE_TOKEN" form:"secret" secret:"true" doc:"the token with which users and rides read and write the database; RIDESHARE_SERVICE_TOKEN opens that, too"`
	SnapshotToken *secret.Secret `env:"RIDESHARE_SNAPSHOT_TOKEN" form:"secret" secret:"true" doc:"the token with which it gets snapshots and checksums from the workers; default: RIDESHARE_SERVICE_TOKEN"`
	Broker        string         `env:"AMQP_URL,required" secret:"true" doc:"the broker: amqp://user:password@host:port/, several hosts with commas between"`
	Replicated    bool           `env:"AMQP_REPLICATED" envDefault:"false" doc:"true where there are several brokers, so that every queue survives the loss of one; false for a single broker, where new writes wait in its memory and reads cost less; all programs must agree"`
	IdleRedial    time.Duration  `env:"RIDESHARE_IDLE_REDIAL" min:"0s" envDefault:"0s" doc:"after how long without traffic the broker is dialled anew, for a process that may be frozen; 0: never, but 20 s under Lambda"`
}

// Check returns what is wrong with the configuration.
func (c Config) Check() error {
	return errors.Join(c.Config.Check(), c.Want("RIDESHARE_SERVICE_TOKEN", c.ServiceToken), amqp.CheckVariable("AMQP_URL", c.Broker))
}

// A broker that does not answer is given up after answerTimeout: 3 heartbeats of a server. Under Lambda,
// where a heartbeat of 10 s spares a frozen sandbox's connection, it is the same time.
const (
	heartbeat     = time.Second
	answerTimeout = 3 * heartbeat
)

// lambdaIdleRedial is the default under Lambda, which freezes a process between invocations: it may
// wake with a connection that the broker has long given up. Less than two heartbeats, after which
// the broker does that.
const lambdaIdleRedial = 20 * time.Second

func main() { boot.Main("orchestrator", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, tracer tracing.Tracer) error {
	if c.IdleRedial == 0 && boot.UnderLambda() {
		c.IdleRedial = lambdaIdleRedial
	}
	policy := c.Policy()
	policy.Database = cmp.Or(c.DatabaseToken, c.ServiceToken)
	options, metrics, err := c.Options("RideShare orchestrator", policy, logger, tracer)
	if err != nil {
		return err
	}
	broker := amqp.Options{URL: c.Broker, Name: "orchestrator", AnswerTimeout: answerTimeout, Monitor: metrics.AMQP()}
	if !boot.UnderLambda() {
		broker.Heartbeat = heartbeat
	}
	bus, err := rabbitmq.New(rabbitmq.Options{
		Broker:     broker,
		Replicated: c.Replicated,
		IdleRedial: c.IdleRedial,
		Logger:     logger,
	})
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }() // the broker notices either way
	metrics.Queues(orchestrator.Depths(bus))
	handler := orchestrator.New(options, orchestrator.Config{
		Bus:      orchestrator.Measured(bus, metrics.Call),
		Trust:    c.Trust(),
		Replicas: workers.Remote{Client: &http.Client{}, Token: cmp.Or(c.SnapshotToken, c.ServiceToken)},
	})
	return serve.Run(ctx, metrics.Count(handler), c.Serving(logger, tracer))
}
