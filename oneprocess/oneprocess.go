// Package oneprocess is the complete system in one process: gateway, functions, queues, log,
// registry, watcher, and pairs of a worker and a database. The same packages run in containers and
// under Lambda; here the parts between them are the memory ones, and the databases SQLite files.
package oneprocess

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"rideshare/functions/apidoc"
	"rideshare/functions/orchestrator"
	"rideshare/functions/rides"
	"rideshare/functions/users"
	"rideshare/functions/web"
	"rideshare/gateway"
	"rideshare/internal/auth"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
	"rideshare/internal/serve"
	"rideshare/internal/telemetry"
)

// System is the system. New makes it, Run runs it.
type System struct {
	config  Config
	folder  *folder
	data    *dataPlane
	bus     io.Closer // the orchestrator's connection
	client  *dbclient.Client
	handler http.Handler
	service string // the service token
}

// New makes a system on the data folder of the configuration. Version is for the documents.
func New(c Config, version string, logger *slog.Logger) (*System, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	folder, err := openFolder(c.Data, logger)
	if err != nil {
		return nil, err
	}
	s := &System{config: c, folder: folder}
	if err := s.build(version, logger); err != nil {
		_ = folder.Close()
		return nil, err
	}
	return s, nil
}

func (s *System) build(version string, logger *slog.Logger) error {
	secrets := s.folder.secrets
	if s.config.ServiceToken != "" {
		secrets.ServiceToken = s.config.ServiceToken
	}
	s.service = secrets.ServiceToken
	location, err := time.LoadLocation(s.config.Timezone)
	if err != nil {
		return fmt.Errorf("RIDESHARE_TIMEZONE: %w", err)
	}
	origins, err := httpapi.ParseOrigins(s.config.CORSOrigins)
	if err != nil {
		return err
	}
	metrics := telemetry.New(version)
	if s.data, err = newDataPlane(s.config, s.folder, logger, metrics); err != nil {
		return err
	}
	extra, err := apidoc.New(version)
	if err != nil {
		return err
	}
	pages, err := web.Handlers()
	if err != nil {
		return err
	}
	maps.Copy(extra, pages)
	tokens := auth.NewTokens(secret.New(secrets.TokenKey), time.Now)
	database := secret.New(rand.Text()) // it never leaves this process
	policy := &auth.Policy{On: s.config.AuthOn(), Service: secret.New(s.service), Database: database, Tokens: tokens}
	extra["GET /metrics"] = policy.GuardMetrics(metrics.Handler())
	hosts, err := s.config.hosts()
	if err != nil {
		return err
	}
	options := httpapi.Options{
		Version: version, Logger: logger, Guard: policy.Guard, Hosts: hosts,
		Timeout: s.config.Timeout, Origins: origins, Handlers: extra, Tracer: s.config.Tracer,
	}
	titled := func(title string) httpapi.Options {
		o := options
		o.Title, o.Observe = title, metrics.HTTP(strings.TrimPrefix(title, "RideShare "))
		return o
	}

	bus := s.data.broker.Connect()
	s.bus = bus
	metrics.Queues(orchestrator.Depths(bus))
	databaseAPI := orchestrator.New(titled("RideShare orchestrator"), orchestrator.Config{
		Bus: orchestrator.Measured(bus, metrics.Call), Replicas: s.data,
	})
	s.client = dbclient.New(dbclient.Config{
		URL: "http://localhost", Token: database, Transport: serve.InMemory(databaseAPI),
	})
	options.Newest, options.Ready = s.client.Newest, s.client.Ready
	params := auth.DefaultParams()
	if s.config.CheapPasswords {
		params = auth.Params{Memory: 8, Time: 1, Threads: 1}
	}
	s.handler = metrics.Count(functions{
		gateway.Orchestrator: databaseAPI,
		gateway.Users: users.New(titled("RideShare users"), users.Config{
			DB: s.client, Passwords: users.NewPasswords(params), Tokens: tokens,
		}),
		gateway.Rides: rides.New(titled("RideShare rides"), rides.Config{
			DB: s.client, Areas: int64(s.config.Areas), Location: location, Now: time.Now,
		}),
	})
	return nil
}

// Handler returns the gateway.
func (s *System) Handler() http.Handler { return s.handler }

// ServiceToken returns the operator's token.
func (s *System) ServiceToken() string { return s.service }

// Ready returns nil when the system can serve reads and writes.
func (s *System) Ready(ctx context.Context) error { return s.client.Ready(ctx) }

// Run runs the system until ctx ends, and ends it in good order. It can be called once. Errors:
// watcher.ErrLost, when no database can be read; store.ErrGone, when the files of all databases were
// deleted or moved, and nothing has replaced them yet.
func (s *System) Run(ctx context.Context) error {
	return errors.Join(s.data.run(ctx), s.bus.Close(), s.folder.Close())
}
