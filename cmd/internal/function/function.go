// Package function is what the programs of the functions have in common.
package function

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"time"

	"rideshare/cmd/internal/boot"
	"rideshare/functions/apidoc"
	"rideshare/functions/web"
	"rideshare/internal/auth"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
	"rideshare/internal/serve"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
)

// Config is what every function reads.
type Config struct {
	Addr         string        `env:"RIDESHARE_ADDR" form:"address" envDefault:":8080" doc:"where it listens"`
	Auth         string        `env:"RIDESHARE_AUTH" oneof:"on,off" envDefault:"on" doc:"on or off: whether callers are asked for tokens"`
	Hosts        []string      `env:"RIDESHARE_HOSTS" doc:"with RIDESHARE_AUTH=off: names and addresses, with commas between, under which callers reach it, beside localhost and its own addresses; .example.com stands for all names below that domain"`
	ServiceToken string        `env:"RIDESHARE_SERVICE_TOKEN" form:"token" secret:"true" doc:"the token of operators and services"`
	TokenKey     string        `env:"RIDESHARE_TOKEN_KEY" secret:"true" doc:"signs the tokens of users"`
	Timeout      time.Duration `env:"RIDESHARE_TIMEOUT" min:"1ms" envDefault:"10s" doc:"how long a request may take"`
	CORSOrigins  string        `env:"RIDESHARE_CORS_ORIGINS" doc:"origins of other sites whose pages may use the public API, with commas between: https://app.example,http://localhost:3000; empty: none"`
	BasePath     string        `env:"RIDESHARE_BASE_PATH" doc:"under Lambda: what the paths begin with at the gateway, where it maps a part of its paths to this API"`
}

// Check returns what is wrong with variables that do not fit each other.
func (c Config) Check() error {
	var faults []error
	for _, v := range []struct{ name, value string }{{"RIDESHARE_SERVICE_TOKEN", c.ServiceToken}, {"RIDESHARE_TOKEN_KEY", c.TokenKey}} {
		if c.Auth == "on" && v.value == "" {
			faults = append(faults, fmt.Errorf("%[1]s is not set: RIDESHARE_AUTH is on, so set it, or set %[1]s_FILE to a file that holds its value", v.name))
		}
	}
	if _, err := httpapi.ParseOrigins(c.CORSOrigins); err != nil {
		faults = append(faults, fmt.Errorf("RIDESHARE_CORS_ORIGINS: %w", err))
	}
	return errors.Join(faults...)
}

// UnderLambda reports whether Lambda runs the program. The variable is Lambda's own, and no setting.
func UnderLambda() bool { return os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" }

// Serving says how the function is served: by Lambda where that runs it, otherwise on its address.
func (c Config) Serving(logger *slog.Logger, tracer tracing.Tracer) serve.Options {
	o := serve.Options{Addr: c.Addr, Lambda: UnderLambda(), Base: c.BasePath, Logger: logger}
	if tracer != nil {
		o.Flush = tracer.Flush
	}
	return o
}

// Tokens are the tokens of users.
func (c Config) Tokens() *auth.Tokens { return auth.NewTokens(c.TokenKey, time.Now) }

// Options are the API options of the function with that title.
func (c Config) Options(title string, logger *slog.Logger, tracer tracing.Tracer) (httpapi.Options, *telemetry.Metrics, error) {
	if c.Auth == "off" {
		logger.Warn("nobody is asked for a token (RIDESHARE_AUTH=off)")
	}
	origins, err := httpapi.ParseOrigins(c.CORSOrigins)
	if err != nil {
		return httpapi.Options{}, nil, err
	}
	if c.Auth == "off" && len(origins) > 0 {
		logger.Warn("pages of other sites may use the public API without a token (RIDESHARE_CORS_ORIGINS)", "origins", origins)
	}
	metrics := telemetry.New(boot.Version)
	handlers, err := apidoc.New(boot.Version)
	if err != nil {
		return httpapi.Options{}, nil, err
	}
	policy := &auth.Policy{On: c.Auth == "on", ServiceToken: c.ServiceToken, Tokens: c.Tokens()}
	handlers["GET /metrics"] = policy.Service(metrics.Handler())
	pages, err := web.Handlers()
	if err != nil {
		return httpapi.Options{}, nil, err
	}
	maps.Copy(handlers, pages)
	var hosts *httpapi.Hosts // nil: any, as callers are asked for tokens
	if c.Auth == "off" {
		if hosts, err = httpapi.OwnHosts(c.Addr, c.Hosts); err != nil {
			return httpapi.Options{}, nil, err
		}
	}
	return httpapi.Options{
		Title: title, Version: boot.Version, Logger: logger, Guard: policy.Guard, Hosts: hosts,
		Timeout: c.Timeout, Origins: origins, Handlers: handlers,
		Observe: metrics.HTTP(strings.TrimPrefix(title, "RideShare ")), Tracer: tracer,
	}, metrics, nil
}

// Database is where users and rides reach the database.
type Database struct {
	URL string `env:"ORCHESTRATOR_URL" form:"url" envDefault:"http://orchestrator:8080" doc:"the orchestrator"`
}

// Client returns a client of the orchestrator, and sets the options that depend on it.
func (d Database) Client(c Config, o *httpapi.Options) *dbclient.Client {
	client := dbclient.New(dbclient.Config{URL: d.URL, ServiceToken: c.ServiceToken})
	o.Newest, o.Ready = client.Newest, client.Ready
	return client
}
