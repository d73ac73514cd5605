package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
	"rideshare/internal/config"
	"rideshare/oneprocess"
)

// operator is what the commands have in common that speak to a running system.
type operator struct {
	environment
	url, token string
	transport  http.RoundTripper // nil: a pool of connections of its own
}

const (
	// patience is how long a command waits for somebody to serve it: longer than a change of master.
	patience = 5 * time.Second
	// longPatience is patience where a failure throws away much: a backup, a restore. It is above what
	// one request may take (10 s), so that one whose outcome is unknown is sent again, too.
	longPatience = 2 * time.Minute
)

// client returns a client of the system.
func (o *operator) client(options ...client.Option) (*client.Client, error) {
	if u, err := url.Parse(o.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url is %q: it must begin with http:// or https://", o.url)
	}
	token, err := o.serviceToken()
	if err != nil {
		return nil, err
	}
	if o.transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = maxConcurrency
		o.transport = t
	}
	return client.New(o.url, append([]client.Option{
		client.WithToken(token), client.WithPatience(patience), client.WithHTTPClient(&http.Client{Transport: o.transport}),
	}, options...)...), nil
}

// with is the body of a command that needs a client.
func (o *operator) with(f func(*cobra.Command, []string, *client.Client) error, options ...client.Option) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := o.client(options...)
		if err != nil {
			return err
		}
		return explained(f(cmd, args, c))
	}
}

// serviceToken returns the token of the flag or of the environment, or the one that was generated
// for a system on this machine: that never goes elsewhere.
func (o *operator) serviceToken() (string, error) {
	if o.token != "" {
		return o.token, nil
	}
	type secret struct {
		Token string `env:"RIDESHARE_SERVICE_TOKEN"`
	}
	s, err := config.Load[secret](o.vars)
	if err != nil || s.Token != "" || !o.local() {
		return s.Token, err
	}
	return o.generatedToken()
}

// local reports whether the system is on this machine.
func (o *operator) local() bool {
	u, err := url.Parse(o.url)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// generatedToken returns what `make up` or `rideshare run` has generated, "" where there is nothing.
func (o *operator) generatedToken() (string, error) {
	data, err := os.ReadFile(filepath.Join(o.get("RIDESHARE_SECRETS", ".secrets"), "service_token"))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return strings.TrimSpace(string(data)), err
	}
	data, err = os.ReadFile(filepath.Join(o.get("RIDESHARE_DATA", "data"), oneprocess.SecretsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var kept struct {
		ServiceToken string `json:"service_token"`
	}
	return kept.ServiceToken, json.Unmarshal(data, &kept)
}

// completeWorkers completes the ids of workers that are there and that fit.
func (o *operator) completeWorkers(fits func(client.Worker) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		// A shell that waits for long is worse than one that completes nothing.
		ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
		defer cancel()
		c, err := o.client(client.WithPatience(0))
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		t, err := c.GetCluster(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var ids []string
		for _, w := range t.Workers {
			if fits(w) {
				ids = append(ids, w.ID+"\t"+w.Role+" at "+w.Position)
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}
