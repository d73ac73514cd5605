// Command watcher starts the pairs as containers, and replaces those that die.
package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/cmd/internal/boot"
	"rideshare/internal/amqp"
	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
	"rideshare/internal/pairs"
	"rideshare/internal/pairs/docker"
	"rideshare/internal/registry/zookeeper"
	"rideshare/internal/secret"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
	"rideshare/watcher"
)

// Config is read from the environment.
type Config struct {
	Addr         string   `env:"RIDESHARE_ADDR" form:"address" envDefault:":8080" doc:"where it answers /healthz and /metrics"`
	Broker       string   `env:"AMQP_URL,required" secret:"true" doc:"the broker, as the watcher's user"`
	Replicated   bool     `env:"AMQP_REPLICATED" envDefault:"false" doc:"true where there are several brokers, so that every queue survives the loss of one; false for a single broker, where new writes wait in its memory and reads cost less; all programs must agree, and the workers are told"`
	ZooKeeper    []string `env:"ZOOKEEPER_SERVERS,required" form:"server" doc:"host:port, several with commas between"`
	ZooKeeperKey string   `env:"ZOOKEEPER_AUTH" form:"account" secret:"true" doc:"user:password of the nodes"`
	Exclusive    bool     `env:"ZOOKEEPER_EXCLUSIVE" envDefault:"false" doc:"whether nobody else uses ZooKeeper: then all of it is closed to other users, and a quota bounds it"`

	Docker        string         `env:"DOCKER_HOST" form:"docker" doc:"the engine; default: its socket"`
	Project       string         `env:"RIDESHARE_PROJECT,required" doc:"compose's project, to which the pairs belong"`
	Networks      []string       `env:"RIDESHARE_NETWORKS,required" doc:"the networks that workers join, with commas between, beside one for each pair that the watcher makes; the first one leads outside"`
	WorkerImage   string         `env:"RIDESHARE_WORKER_IMAGE" envDefault:"rideshare/worker:dev" doc:"image of the workers"`
	DatabaseImage string         `env:"MYSQL_IMAGE" envDefault:"mysql:9.7" doc:"image of their databases"`
	WorkerBroker  string         `env:"RIDESHARE_WORKER_AMQP_URL,required" secret:"true" doc:"the broker, as the workers' user"`
	SnapshotToken *secret.Secret `env:"RIDESHARE_SNAPSHOT_TOKEN,required" form:"secret" secret:"true" doc:"the token with which workers get snapshots from each other; they are told when it changes"`
	MetricsToken  *secret.Secret `env:"RIDESHARE_METRICS_TOKEN" form:"secret" secret:"true" doc:"the token that opens /metrics here and in the workers, which are told when it changes; default: nobody gets them"`
	Events        bool           `env:"RIDESHARE_DOCKER_EVENTS" envDefault:"true" doc:"whether the engine's events are used to notice deaths at once"`

	Slaves      int           `env:"RIDESHARE_SLAVES" min:"1" envDefault:"2" doc:"slaves to begin with"`
	Autoscale   bool          `env:"RIDESHARE_AUTOSCALE" envDefault:"true" doc:"whether the number of slaves follows the reads"`
	MinSlaves   int           `env:"RIDESHARE_MIN_SLAVES" min:"1" envDefault:"1" doc:"least number of slaves of the autoscaler"`
	MaxSlaves   int           `env:"RIDESHARE_MAX_SLAVES" min:"1" envDefault:"5" doc:"largest number of slaves"`
	ScalePeriod time.Duration `env:"RIDESHARE_SCALE_PERIOD" min:"1ms" envDefault:"2m" doc:"how often the autoscaler decides"`
	ScaleReads  uint64        `env:"RIDESHARE_SCALE_READS" min:"1" envDefault:"20" doc:"reads in a period that one slave is for"`
}

// Check returns what is wrong with the configuration.
func (c Config) Check() error {
	return errors.Join(c.rule().Check(c.Slaves),
		amqp.CheckVariable("AMQP_URL", c.Broker), amqp.CheckVariable("RIDESHARE_WORKER_AMQP_URL", c.WorkerBroker))
}

func (c Config) rule() watcher.ScaleRule {
	return watcher.ScaleRule{Period: c.ScalePeriod, ReadsPerSlave: c.ScaleReads, Min: c.MinSlaves, Max: c.MaxSlaves}
}

func main() { boot.Main("watcher", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, _ tracing.Tracer) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	metrics := telemetry.New(boot.Version)
	bus, err := rabbitmq.New(rabbitmq.Options{
		Broker:     amqp.Options{URL: c.Broker, Name: "watcher " + host, Heartbeat: time.Second, Monitor: metrics.AMQP()},
		Replicated: c.Replicated,
		Queues:     []bus.Queue{bus.Control},
	})
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }() // the broker notices either way
	user, password, _ := strings.Cut(c.ZooKeeperKey, ":")
	registry, err := zookeeper.Open(zookeeper.Config{Servers: c.ZooKeeper, User: user, Password: password, Exclusive: c.Exclusive, Logger: logger, Observe: metrics.ZooKeeper()})
	if err != nil {
		return err
	}
	defer func() { _ = registry.Close() }() // its nodes go with the session
	containers, err := c.containers()
	if err != nil {
		return err
	}
	defer func() { _ = containers.Close() }() // they go on
	var pairs pairs.Pairs = containers
	if !c.Events {
		pairs = silent{pairs}
	}
	w := watcher.New(watcher.Config{
		ID: host, Registry: registry, Pairs: pairs, Bus: bus,
		Slaves: c.Slaves, Auto: c.Autoscale, Rule: c.rule(), Logger: logger, Metrics: metrics.Watcher(host),
		Rescue: "Either put into such a volume what it had, and remove the volume of the same name that ends in -kept, " +
			"or remove these volumes and restore a backup ('rideshare restore'). See docs/failures.md",
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	policy := auth.Policy{On: true, Metrics: c.MetricsToken}
	mux.Handle("GET /metrics", policy.GuardMetrics(metrics.Handler()))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.Run(ctx) })
	g.Go(func() error { return c.refresh(ctx, containers, logger) })
	g.Go(func() error { return boot.Serve(ctx, c.Addr, mux) })
	return g.Wait()
}

// secretsPeriod is how often the watcher looks whether the workers' secrets have changed. An engine that hangs is
// asked again after secretsTimeout.
const (
	secretsPeriod  = time.Second
	secretsTimeout = 30 * time.Second
)

// refresh gives the workers their secrets, at first and whenever they have changed.
func (c Config) refresh(ctx context.Context, containers *docker.Pairs, logger *slog.Logger) error {
	var given map[string]string
	for ctx.Err() == nil {
		if secrets := c.workerSecrets(); !maps.Equal(secrets, given) {
			refreshing, cancel := context.WithTimeout(ctx, secretsTimeout)
			err := containers.RefreshSecrets(refreshing)
			cancel()
			if err == nil {
				given = secrets
			} else if ctx.Err() == nil {
				logger.Warn("cannot give the workers their secrets", "why", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(secretsPeriod):
		}
	}
	return nil
}

func (c Config) workerSecrets() map[string]string {
	secrets := map[string]string{
		"AMQP_URL": c.WorkerBroker, "ZOOKEEPER_AUTH": c.ZooKeeperKey, "RIDESHARE_SNAPSHOT_TOKEN": c.SnapshotToken.Text(),
		// A worker of the version before, which an operator may go back to, knows one value of this name.
		"RIDESHARE_SERVICE_TOKEN": c.SnapshotToken.Current(),
	}
	if c.MetricsToken.IsSet() {
		secrets["RIDESHARE_METRICS_TOKEN"] = c.MetricsToken.Text()
	}
	return secrets
}

func (c Config) containers() (*docker.Pairs, error) {
	return docker.New(docker.Config{
		Host: c.Docker, Project: c.Project, Networks: c.Networks,
		WorkerImage: c.WorkerImage, DatabaseImage: c.DatabaseImage,
		WorkerEnv: c.workerEnv(os.Environ()), WorkerSecrets: c.workerSecrets,
	})
}

// workerEnv returns the environment of the workers. They log, trace and use processors as the watcher does, but for
// the headers of the exporter: these may hold a secret, and the engine shows an environment to whoever asks.
func (c Config) workerEnv(environ []string) map[string]string {
	env := map[string]string{
		"ZOOKEEPER_SERVERS": strings.Join(c.ZooKeeper, ","), "AMQP_REPLICATED": strconv.FormatBool(c.Replicated),
	}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		ours := name == "RIDESHARE_LOG_LEVEL" || name == "GOMAXPROCS" || name == "GOGC" || strings.HasPrefix(name, "OTEL_") && !strings.Contains(name, "HEADERS") && name != "OTEL_SERVICE_NAME"
		if ours && value != "" {
			env[name] = value
		}
	}
	return env
}

// silent hides the engine's events: deaths are noticed by the registry alone.
type silent struct{ pairs.Pairs }

// Events implements pairs.Pairs.
func (silent) Events(ctx context.Context) <-chan pairs.Event {
	events := make(chan pairs.Event)
	context.AfterFunc(ctx, func() { close(events) })
	return events
}
