package oneprocess

import (
	"fmt"
	"net"
	"time"

	"rideshare/internal/config"
	"rideshare/internal/httpapi"
	"rideshare/internal/tracing"
	"rideshare/watcher"
)

// Config is the configuration of the one-process system.
type Config struct {
	Addr         string        `env:"RIDESHARE_ADDR" form:"address" envDefault:"127.0.0.1:8080" doc:"where it listens"`
	Data         string        `env:"RIDESHARE_DATA" envDefault:"./data" doc:"the folder that everything is kept in"`
	Auth         string        `env:"RIDESHARE_AUTH" oneof:"on,off" doc:"on or off; default: off where Addr is a loopback address, else on"`
	Hosts        []string      `env:"RIDESHARE_HOSTS" doc:"with RIDESHARE_AUTH=off: names and addresses, with commas between, under which callers reach it, beside localhost and its own addresses; .example.com stands for all names below that domain"`
	Areas        int           `env:"RIDESHARE_AREAS" min:"2" envDefault:"198" doc:"areas are numbered from 1 to this"`
	Timezone     string        `env:"RIDESHARE_TIMEZONE" form:"zone" envDefault:"UTC" doc:"of the timestamps in the API, as in the IANA database"`
	ServiceToken string        `env:"RIDESHARE_SERVICE_TOKEN" form:"token" secret:"true" doc:"of operators; default: generated, and kept in Data"`
	Slaves       int           `env:"RIDESHARE_SLAVES" min:"1" envDefault:"2" doc:"slaves to begin with"`
	Autoscale    bool          `env:"RIDESHARE_AUTOSCALE" envDefault:"true" doc:"whether the number of slaves follows the reads"`
	MinSlaves    int           `env:"RIDESHARE_MIN_SLAVES" min:"1" envDefault:"1" doc:"least number of slaves of the autoscaler"`
	MaxSlaves    int           `env:"RIDESHARE_MAX_SLAVES" min:"1" envDefault:"5" doc:"largest number of slaves"`
	ScalePeriod  time.Duration `env:"RIDESHARE_SCALE_PERIOD" min:"1ms" envDefault:"2m" doc:"how often the autoscaler decides"`
	ScaleReads   uint64        `env:"RIDESHARE_SCALE_READS" min:"1" envDefault:"20" doc:"reads in a period that one slave is for"`
	Timeout      time.Duration `env:"RIDESHARE_TIMEOUT" min:"1ms" envDefault:"10s" doc:"how long a request may take"`
	CORSOrigins  string        `env:"RIDESHARE_CORS_ORIGINS" doc:"origins of other sites whose pages may use the public API, with commas between: https://app.example,http://localhost:3000; empty: none"`

	// Unsafe leaves out waiting for the disk, and CheapPasswords makes their hashes cheap. For
	// tests.
	Unsafe, CheapPasswords bool
	// Tracer begins the spans of requests that are traced; nil: no tracing.
	Tracer tracing.Tracer
}

// Check returns what is wrong with the configuration.
func (c Config) Check() error {
	if err := config.Check(c); err != nil {
		return err
	}
	if _, err := httpapi.ParseOrigins(c.CORSOrigins); err != nil {
		return fmt.Errorf("RIDESHARE_CORS_ORIGINS: %w", err)
	}
	if _, err := c.hosts(); err != nil {
		return err
	}
	return c.rule().Check(c.Slaves)
}

// AuthOn reports whether callers are asked for tokens.
func (c Config) AuthOn() bool {
	if c.Auth != "" {
		return c.Auth == "on"
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return true
	}
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// hosts are those that requests may name; nil: any, as callers are asked for tokens.
func (c Config) hosts() (*httpapi.Hosts, error) {
	if c.AuthOn() {
		return nil, nil
	}
	return httpapi.OwnHosts(c.Addr, c.Hosts)
}

func (c Config) rule() watcher.ScaleRule {
	return watcher.ScaleRule{Period: c.ScalePeriod, ReadsPerSlave: c.ScaleReads, Min: c.MinSlaves, Max: c.MaxSlaves}
}
