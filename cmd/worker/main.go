// Command worker is one worker, beside the database that it alone uses.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/cmd/internal/boot"
	"rideshare/internal/amqp"
	"rideshare/internal/auth"
	"rideshare/internal/bus"
	busrabbitmq "rideshare/internal/bus/rabbitmq"
	"rideshare/internal/registry/zookeeper"
	lograbbitmq "rideshare/internal/replog/rabbitmq"
	"rideshare/internal/secret"
	"rideshare/internal/store/mysql"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
	"rideshare/workers"
)

// Config is read from the environment.
type Config struct {
	ID            string         `env:"RIDESHARE_WORKER_ID,required" doc:"the worker's id: unlike that of any other, also of an earlier one on the same database"`
	Pair          string         `env:"RIDESHARE_PAIR,required" doc:"the pair it belongs to"`
	Addr          string         `env:"RIDESHARE_ADDR" form:"address" envDefault:":7000" doc:"where it gives snapshots, and answers /healthz and /metrics"`
	SnapshotToken *secret.Secret `env:"RIDESHARE_SNAPSHOT_TOKEN" form:"secret" secret:"true" doc:"the token with which workers get snapshots from each other; default: RIDESHARE_SERVICE_TOKEN, which a watcher of the version before gives"`
	ServiceToken  *secret.Secret `env:"RIDESHARE_SERVICE_TOKEN" form:"secret" secret:"true" doc:"see RIDESHARE_SNAPSHOT_TOKEN"`
	MetricsToken  *secret.Secret `env:"RIDESHARE_METRICS_TOKEN" form:"secret" secret:"true" doc:"the token that opens /metrics; default: nobody gets them"`
	Broker        string         `env:"AMQP_URL,required" secret:"true" doc:"the broker: amqp://user:password@host:port/, several hosts with commas between"`
	Replicated    bool           `env:"AMQP_REPLICATED" envDefault:"false" doc:"true where there are several brokers, so that every queue survives the loss of one; false for a single broker, where new writes wait in its memory and reads cost less; all programs must agree"`
	Disk          string         `env:"RIDESHARE_DATABASE_DISK" envDefault:"/" doc:"a path on the file system that holds the databases, of which /metrics tells how full it is; a container's own file system is on the engine's disk, as are its volumes"`
	ZooKeeper     []string       `env:"ZOOKEEPER_SERVERS,required" form:"server" doc:"host:port, several with commas between"`
	ZooKeeperKey  string         `env:"ZOOKEEPER_AUTH" form:"account" secret:"true" doc:"user:password of the nodes"`
	Database      string         `env:"MYSQL_DSN,required" secret:"true" doc:"the database: user:password@tcp(host:3306)/schema"`
}

// Check returns what is wrong with the configuration.
func (c Config) Check() error {
	fault := amqp.CheckVariable("AMQP_URL", c.Broker)
	if !c.token().IsSet() {
		fault = errors.Join(fault, errors.New("RIDESHARE_SNAPSHOT_TOKEN is not set: set it, or set RIDESHARE_SNAPSHOT_TOKEN_FILE to a file that holds its value"))
	}
	if err := mysql.CheckDSN(c.Database); err != nil {
		fault = errors.Join(fault, fmt.Errorf("MYSQL_DSN has a wrong value, which is not shown: it must be user:password@tcp(host:3306)/schema: %w", err))
	}
	return fault
}

// token is that of snapshots.
func (c Config) token() *secret.Secret { return cmp.Or(c.SnapshotToken, c.ServiceToken) }

// heartbeat lets the broker notice within some 3 s that this worker was paused, and give its
// messages to the next master.
const heartbeat = time.Second

// quiet is how long the log may be silent before the worker asks whether it still reads it. A node
// that is cut off from the others is noticed within twice that.
const quiet = 2 * heartbeat

func main() { boot.Main("worker", run) }

func run(ctx context.Context, c Config, logger *slog.Logger, tracer tracing.Tracer) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return err
	}
	metrics := telemetry.New(boot.Version)
	broker := amqp.Options{URL: c.Broker, Name: c.ID, Heartbeat: heartbeat, Monitor: metrics.AMQP()}
	bus, err := busrabbitmq.New(busrabbitmq.Options{
		Broker: broker, Replicated: c.Replicated, Queues: []bus.Queue{bus.Writes, bus.Reads}, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }() // the broker notices either way
	log, err := lograbbitmq.New(lograbbitmq.Options{Broker: broker})
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // as above
	user, password, _ := strings.Cut(c.ZooKeeperKey, ":")
	registry, err := zookeeper.Open(zookeeper.Config{Servers: c.ZooKeeper, User: user, Password: password, Logger: logger, Observe: metrics.ZooKeeper()})
	if err != nil {
		return err
	}
	defer func() { _ = registry.Close() }() // its nodes go with the session; again does no harm
	db, err := mysql.Open(ctx, mysql.Config{DSN: c.Database, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what counts is committed

	worker := workers.New(workers.Config{
		ID: c.ID, Pair: c.Pair, PID: os.Getpid(), Addr: host + ":" + port,
		Store: db, Log: log, Bus: bus, Registry: registry, Quiet: quiet,
		Fetch: workers.FetchHTTP(&http.Client{}, c.token()), Logger: logger,
		Metrics: metrics.Worker(c.ID, c.Disk), Tracer: tracer,
	})
	mux := http.NewServeMux()
	policy := auth.Policy{On: true, Metrics: c.MetricsToken}
	mux.Handle("GET /metrics", policy.GuardMetrics(metrics.Handler()))
	mux.Handle("/", worker.Snapshots(c.token()))
	// The server ends with the worker, whatever ends that.
	serving, stop := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stop()
		// At once, not when the server has ended: until the session is over nobody can be elected.
		defer func() { _ = registry.Close() }()
		return worker.Run(ctx)
	})
	g.Go(func() error { return boot.Serve(serving, c.Addr, mux) })
	return g.Wait()
}
