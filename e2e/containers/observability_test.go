package containers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"rideshare/e2e/stack"
)

// observability starts what watches the system, as a person does, and asks Prometheus what it found.
// Grafana is started where its image is here or can be pulled; of it the dashboard's queries are tried,
// and deploy/observability compares its files.
func observability(t *testing.T, s *site) {
	sub := s.empty(t)
	p := sub.watched(t)
	if _, err := sub.Target.Must(t.Context(), http.StatusOK, http.MethodGet, "/rides/count", nil); err != nil {
		t.Fatal(err)
	}
	var fault error
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last fault: %v", fault)
		}
	})
	sub.Until("every target is up", func() bool { fault = p.targets(sub); return fault == nil })
	rules := alerts(t, sub.Root)
	sub.Until("every rule was evaluated", func() bool { fault = p.evaluated(rules); return fault == nil })

	panels := dashboard(t, sub.Root)
	sub.Until("every metric is there that a rule or a panel names", func() bool {
		fault = p.known(slices.Concat(slices.Collect(maps.Values(rules)), panels))
		return fault == nil
	})
	for _, expression := range panels {
		var result any
		if err := p.ask("query", url.Values{"query": {expression}}, &result); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
	// They fire where the metrics have other names or labels than they ask for.
	for _, name := range []string{"NoMaster", "NoWatcher", "WorkerMissing", "ZooKeeperUnreachable"} {
		if _, ok := rules[name]; !ok {
			t.Errorf("there is no rule %s", name)
		}
		sub.Until(name+" is silent", func() bool { fault = p.silent(name); return fault == nil })
	}
}

// watched starts Prometheus beside the site, until the test ends.
func (s *site) watched(t *testing.T) prometheus {
	t.Helper()
	var ports [2]string
	for i := range ports {
		var err error
		if ports[i], err = stack.FreePort(); err != nil {
			t.Fatal(err)
		}
	}
	watched := *s.Stack
	watched.Env = append(slices.Clone(s.Env), "RIDESHARE_OBSERVABILITY=true", "PROMETHEUS_PORT="+ports[0], "GRAFANA_PORT="+ports[1])
	t.Cleanup(func() {
		if out, err := watched.Run(context.Background(), "deploy/compose", "rm", "-sf", "prometheus", "grafana"); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	before := s.must("docker", "ps", "-q", "--filter", "label=com.docker.compose.project="+s.Project)
	out, err := watched.Run(t.Context(), "make", "up")
	t.Logf("make up:\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	after := s.must("docker", "ps", "-q", "--filter", "label=com.docker.compose.project="+s.Project)
	for id := range strings.FieldsSeq(before) {
		if !strings.Contains(after, id) {
			t.Errorf("the container %s was made anew", id)
		}
	}
	return prometheus{s.Target.HTTP, "http://127.0.0.1:" + ports[0] + "/api/v1/"}
}

// prometheus is a running Prometheus.
type prometheus struct {
	client *http.Client
	url    string
}

// ask asks its API. A warning is an error, too.
func (p prometheus) ask(what string, query url.Values, into any) error {
	resp, err := p.client.Get(p.url + what + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	answer := struct {
		Status, Error string
		Warnings      []string
		Data          any
	}{Data: into}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %s: %w", what, resp.Status, err)
	}
	if answer.Status != "success" || len(answer.Warnings) > 0 {
		return fmt.Errorf("%s: %s %s %q", what, resp.Status, answer.Error, answer.Warnings)
	}
	return nil
}

// targets returns what is wrong with what it scrapes: it is to be all that there is of the site, and up.
func (p prometheus) targets(s *site) error {
	topology, err := s.Topology()
	if err != nil {
		return err
	}
	want := map[string]int{"users": 1, "rides": 1, "orchestrator": 1, "watcher": 1, "rabbitmq": 1, "workers": len(topology.Workers)}
	var found struct {
		ActiveTargets []struct {
			Labels                       map[string]string
			Health, LastError, ScrapeURL string
		}
	}
	if err := p.ask("targets", url.Values{"state": {"active"}}, &found); err != nil {
		return err
	}
	got := map[string]int{}
	for _, target := range found.ActiveTargets {
		if target.Health != "up" {
			return fmt.Errorf("%s is %s: %s", target.ScrapeURL, target.Health, target.LastError)
		}
		name := target.Labels["job"]
		if service := target.Labels["service"]; service != "" {
			name = service
		}
		got[name]++
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("%v are up, want %v", got, want)
	}
	return nil
}

// alerts returns the expression of each alert.
func alerts(t *testing.T, root string) map[string]string {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	data, err := os.ReadFile(filepath.Join(root, "deploy", "observability", "alerts.yml"))
	if err == nil {
		err = yaml.Unmarshal(data, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			rules[r.Alert] = r.Expr
		}
	}
	return rules
}

// evaluated returns what is wrong with the rules that it has loaded, which are to be these.
func (p prometheus) evaluated(want map[string]string) error {
	var loaded struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if err := p.ask("rules", nil, &loaded); err != nil {
		return err
	}
	missing := maps.Clone(want)
	for _, g := range loaded.Groups {
		for _, r := range g.Rules {
			if r.Health != "ok" {
				return fmt.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
			delete(missing, r.Name)
		}
	}
	if len(missing) > 0 || len(want) == 0 {
		return fmt.Errorf("of %d rules these are not loaded: %v", len(want), slices.Collect(maps.Keys(missing)))
	}
	return nil
}

// silent returns whether an alert fires, or is about to.
func (p prometheus) silent(name string) error {
	var found struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	if err := p.ask("alerts", nil, &found); err != nil {
		return err
	}
	for _, a := range found.Alerts {
		if a.Labels["alertname"] == name {
			return fmt.Errorf("%s is %s: %v", name, a.State, a.Labels)
		}
	}
	return nil
}

var metric = regexp.MustCompile(`\b(rideshare|process|go)_[a-z0-9_]+`)

// known returns which metrics of the expressions it has never seen.
func (p prometheus) known(expressions []string) error {
	var names []string
	if err := p.ask("label/__name__/values", nil, &names); err != nil {
		return err
	}
	var missing []error
	for _, e := range expressions {
		found := metric.FindAllString(e, -1)
		if len(found) == 0 {
			missing = append(missing, fmt.Errorf("%s names no metric", e))
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				missing = append(missing, fmt.Errorf("there is no %s, of %s", name, e))
			}
		}
	}
	return errors.Join(missing...)
}

// dashboard returns the expressions of the dashboard, with what Grafana puts into them.
func dashboard(t *testing.T, root string) []string {
	t.Helper()
	var file struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	data, err := os.ReadFile(filepath.Join(root, "deploy", "observability", "grafana", "dashboards", "rideshare.json"))
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, panel := range file.Panels {
		for _, target := range panel.Targets {
			all = append(all, strings.NewReplacer("$__rate_interval", "20s", "$__range", "15m").Replace(target.Expr))
		}
	}
	if len(all) == 0 {
		t.Fatal("the dashboard has no panels")
	}
	return all
}
