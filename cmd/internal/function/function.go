// Package function is what the programs of the functions have in common.
package function

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"time"

	"rideshare/cmd/internal/boot"
	"rideshare/functions/apidoc"
	"rideshare/functions/web"
	"rideshare/internal/auth"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
	"rideshare/internal/serve"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
)

// Config is what every function reads.
type Config struct {
	Addr         string         `env:"RIDESHARE_ADDR" form:"address" envDefault:":8080" doc:"where it listens"`
	Auth         string         `env:"RIDESHARE_AUTH" oneof:"on,off" envDefault:"on" doc:"on or off: whether callers are asked for tokens"`
	Hosts        []string       `env:"RIDESHARE_HOSTS" doc:"with RIDESHARE_AUTH=off: names and addresses, with commas between, under which callers reach it, beside localhost and its own addresses; .example.com stands for all names below that domain"`
	ServiceToken *secret.Secret `env:"RIDESHARE_SERVICE_TOKEN" form:"secret" secret:"true" doc:"the token of operators"`
	MetricsToken *secret.Secret `env:"RIDESHARE_METRICS_TOKEN" form:"secret" secret:"true" doc:"the token that opens /metrics; RIDESHARE_SERVICE_TOKEN opens it, too"`
	Timeout      time.Duration  `env:"RIDESHARE_TIMEOUT" min:"1ms" envDefault:"10s" doc:"how long a request may take"`
	CORSOrigins  string         `env:"RIDESHARE_CORS_ORIGINS" doc:"origins of other sites whose pages may use the public API, with commas between: https://app.example,http://localhost:3000; empty: none"`
	BasePath     string         `env:"RIDESHARE_BASE_PATH" doc:"under Lambda: what the paths begin with at the gateway, where it maps a part of its paths to this API"`
}

// Check returns what is wrong with variables that do not fit each other.
func (c Config) Check() error {
	var faults []error
	if _, err := httpapi.ParseOrigins(c.CORSOrigins); err != nil {
		faults = append(faults, fmt.Errorf("RIDESHARE_CORS_ORIGINS: %w", err))
	}
	return errors.Join(faults...)
}

// Want returns an error if callers are asked for tokens and the secret of that name is not set.
func (c Config) Want(name string, s *secret.Secret) error {
	if c.Auth == "off" || s.IsSet() {
		return nil
	}
	return fmt.Errorf("%[1]s is not set: RIDESHARE_AUTH is on, so set it, or set %[1]s_FILE to a file that holds its value", name)
}

// Policy returns who is asked for which token, without what only some functions ask for.
func (c Config) Policy() *auth.Policy {
	return &auth.Policy{On: c.Auth == "on", Service: c.ServiceToken, Metrics: c.MetricsToken}
}

// Serving says how the function is served: by Lambda where that runs it, otherwise on its address.
func (c Config) Serving(logger *slog.Logger, tracer tracing.Tracer) serve.Options {
	o := serve.Options{Addr: c.Addr, Lambda: boot.UnderLambda(), Base: c.BasePath, Logger: logger}
	if tracer != nil {
		o.Flush = tracer.Flush
	}
	return o
}

// Options are the API options of the function with that title, for callers that the policy lets in.
func (c Config) Options(title string, policy *auth.Policy, logger *slog.Logger, tracer tracing.Tracer) (httpapi.Options, *telemetry.Metrics, error) {
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
	handlers["GET /metrics"] = policy.GuardMetrics(metrics.Handler())
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

// User is what the functions that serve users read.
type User struct {
	Config
	URL           string         `env:"ORCHESTRATOR_URL" form:"url" envDefault:"http://orchestrator:8080" doc:"the orchestrator"`
	DatabaseToken *secret.Secret `env:"RIDESHARE_DATABASE_TOKEN" form:"secret" secret:"true" doc:"the token with which it reads and writes the database; default: RIDESHARE_SERVICE_TOKEN"`
	TokenKey      *secret.Secret `env:"RIDESHARE_TOKEN_KEY" form:"secret" secret:"true" doc:"signs the tokens of users"`
}

// Check returns what is wrong with variables that do not fit each other.
func (u User) Check() error {
	return errors.Join(u.Config.Check(), u.Want("RIDESHARE_DATABASE_TOKEN", u.token()), u.Want("RIDESHARE_TOKEN_KEY", u.TokenKey))
}

func (u User) token() *secret.Secret { return cmp.Or(u.DatabaseToken, u.ServiceToken) }

// Tokens are the tokens of users.
func (u User) Tokens() *auth.Tokens { return auth.NewTokens(u.TokenKey, time.Now) }

// Options are the API options of the function with that title.
func (u User) Options(title string, logger *slog.Logger, tracer tracing.Tracer) (httpapi.Options, *telemetry.Metrics, error) {
	policy := u.Policy()
	policy.Tokens = u.Tokens()
	return u.Config.Options(title, policy, logger, tracer)
}

// Client returns a client of the orchestrator, and sets the options that depend on it.
func (u User) Client(o *httpapi.Options) *dbclient.Client {
	client := dbclient.New(dbclient.Config{URL: u.URL, Token: u.token()})
	o.Newest, o.Ready = client.Newest, client.Ready
	return client
}

// Clients is how a function learns where a request comes from.
type Clients struct {
	TrustForwardedFor bool           `env:"RIDESHARE_TRUST_FORWARDED_FOR" envDefault:"false" doc:"whether a gateway of ours says in X-Forwarded-For who the client is"`
	TrustedProxies    []netip.Prefix `env:"RIDESHARE_TRUSTED_PROXIES" doc:"networks, as 10.0.0.0/8, of further proxies that append to X-Forwarded-For: what they say counts, too"`
}

// Trust says whose word about a client's address is taken.
func (c Clients) Trust() httpapi.Trust {
	return httpapi.Trust{Forwarded: c.TrustForwardedFor, Proxies: c.TrustedProxies}
}
