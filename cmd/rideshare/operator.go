package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
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
	source := "--url"
	if o.url == o.get("RIDESHARE_URL", "") {
		source = "RIDESHARE_URL"
	}
	if err := config.Form("url").Check(source, o.url); err != nil {
		return nil, usageError{err}
	}
	token, err := o.serviceToken()
	if err != nil {
		return nil, usageError{err}
	}
	if o.transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = maxConcurrency
		o.transport = t
	}
	return client.New(o.url, append([]client.Option{
		client.WithToken(token), client.WithOperator(o.name()), client.WithPatience(patience), client.WithHTTPClient(&http.Client{Transport: o.transport}),
	}, options...)...), nil
}

// name is who the history says has given a command.
func (o *operator) name() string {
	if name := o.get("RIDESHARE_OPERATOR", ""); name != "" {
		return name
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, _ := os.Hostname() // without one, the user alone
	return name + "@" + host
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
		return checkedToken("--token", o.token)
	}
	type secret struct {
		Token string `env:"RIDESHARE_SERVICE_TOKEN" form:"token" secret:"true"`
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
	path := filepath.Join(o.get("RIDESHARE_SECRETS", ".secrets"), "service_token")
	data, err := os.ReadFile(path)
	if err == nil {
		return checkedToken("the token in "+path, strings.TrimSpace(string(data)))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	path = filepath.Join(o.get("RIDESHARE_DATA", "data"), oneprocess.SecretsFile)
	data, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var kept struct {
		ServiceToken string `json:"service_token"`
	}
	if err := json.Unmarshal(data, &kept); err != nil {
		return "", fmt.Errorf("%s is damaged: %w", path, err)
	}
	return checkedToken("the token in "+path, kept.ServiceToken)
}

// checkedToken returns the token, or an error that says where it comes from but does not show it.
func checkedToken(source, token string) (string, error) {
	if rule := config.Form("token"); !rule.Allows(token) {
		return "", fmt.Errorf("%s has a wrong value, which is not shown: it must be %s", source, rule.Allowed)
	}
	return token, nil
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
