// Package observability_test tests what Prometheus is configured with.
package observability_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// promtool returns where Prometheus' own checker is: `make promtool` puts it into bin.
func promtool(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("promtool"); err == nil {
		return path
	}
	path, err := filepath.Abs("../../bin/promtool")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is missing: run 'make promtool'")
		}
		t.Skip("promtool is missing: run 'make promtool'")
	}
	return path
}

// TestAlertRules runs the rules against made-up figures, good and bad.
func TestAlertRules(t *testing.T) {
	tool := promtool(t)
	for _, args := range [][]string{
		{"test", "rules", "alerts_test.yml"},
		{"check", "config", "--syntax-only", "prometheus.yml"},
	} {
		out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
		if err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

var alertName = regexp.MustCompile(`(?m)- alert: (\w+)$`)

// alerts returns the names of the alerts.
func alerts(t *testing.T) []string {
	t.Helper()
	rules := read(t, "alerts.yml")
	var names []string
	for _, m := range alertName.FindAllStringSubmatch(rules, -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		t.Fatal("no alert was found")
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every alert is tested when it must fire and when it must not, and says where to read on.
func TestEveryAlertIsTestedAndDocumented(t *testing.T) {
	rules, tests, doc := read(t, "alerts.yml"), read(t, "alerts_test.yml"), read(t, "../../docs/operating.md")
	for _, name := range alerts(t) {
		if silent := regexp.MustCompile(`alertname: ` + name + `\}`); !silent.MatchString(tests) {
			t.Errorf("no test lets %s be silent", name)
		}
		if fires := regexp.MustCompile(`alertname: ` + name + `\n\s+exp_alerts:`); !fires.MatchString(tests) {
			t.Errorf("no test lets %s fire", name)
		}
		if !strings.Contains(rules, "runbook: docs/operating.md#"+strings.ToLower(name)+"\n") {
			t.Errorf("%s does not say where it is documented", name)
		}
		if !strings.Contains(doc, "\n### "+name+"\n") {
			t.Errorf("docs/operating.md has no section %s", name)
		}
	}
}
