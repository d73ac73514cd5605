package observability_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// parse reads a file of JSON or YAML.
func parse[T any](t *testing.T, path string) (file T) {
	t.Helper()
	decode := yaml.Unmarshal
	if filepath.Ext(path) == ".json" {
		decode = json.Unmarshal
	}
	if err := decode([]byte(read(t, path)), &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

type source struct{ Type, UID string }

type panel struct {
	ID         int
	Title      string
	Datasource source
	Targets    []struct{ RefID, Expr string }
}

// What Grafana is given names what there is: the dashboard the data source, that the service, and both
// folders are mounted where they are looked for. That Grafana itself takes them is not tried here.
func TestGrafanasFilesAgree(t *testing.T) {
	compose := parse[struct {
		Services map[string]struct{ Volumes, Ports []string }
	}](t, "../../docker-compose.observability.yml")
	mounted := func(service, file, at string) {
		if want := "./deploy/observability/" + file + ":" + at + ":ro"; !slices.Contains(compose.Services[service].Volumes, want) {
			t.Errorf("%s has no volume %s", service, want)
		}
	}
	mounted("grafana", "grafana/provisioning", "/etc/grafana/provisioning")
	for _, p := range parse[struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}](t, "grafana/provisioning/dashboards/rideshare.yml").Providers {
		if p.Type != "file" {
			t.Errorf("a provider of type %q", p.Type)
		}
		mounted("grafana", "grafana/dashboards", p.Options.Path)
	}
	sources := parse[struct {
		Datasources []struct{ UID, Type, URL string }
	}](t, "grafana/provisioning/datasources/prometheus.yml").Datasources
	if len(sources) != 1 {
		t.Fatalf("%d data sources, want 1", len(sources))
	}
	service, port, _ := strings.Cut(strings.TrimPrefix(sources[0].URL, "http://"), ":")
	if ports := compose.Services[service].Ports; len(ports) != 1 || !strings.HasSuffix(ports[0], ":"+port) {
		t.Errorf("the data source is %s, and the service %s has the ports %v", sources[0].URL, service, ports)
	}
	panels := parse[struct{ Panels []panel }](t, "grafana/dashboards/rideshare.json").Panels
	if len(panels) == 0 {
		t.Fatal("the dashboard is empty")
	}
	ids := map[int]bool{}
	for _, p := range panels {
		if p.Datasource != (source{sources[0].Type, sources[0].UID}) || p.Title == "" || len(p.Targets) == 0 || ids[p.ID] {
			t.Errorf("panel %d %q: of %+v, with %d targets", p.ID, p.Title, p.Datasource, len(p.Targets))
		}
		ids[p.ID] = true
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if target.Expr == "" || target.RefID == "" || refs[target.RefID] {
				t.Errorf("panel %q: target %+v", p.Title, target)
			}
			refs[target.RefID] = true
		}
	}
	for _, file := range parse[struct {
		Rules []string `yaml:"rule_files"`
	}](t, "prometheus.yml").Rules {
		mounted("prometheus", filepath.Base(file), file)
	}
	mounted("prometheus", "prometheus.yml", "/etc/prometheus/prometheus.yml")
}
