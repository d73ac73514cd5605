package oneprocess_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/telemetry"
	"rideshare/oneprocess"
)

// scrape returns the lines of a scrape that are no comments.
func scrape(t *testing.T, c *http.Client) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(do(t, c, http.MethodGet, "/metrics", "", http.StatusOK)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// await scrapes until a line begins with each of the prefixes.
func await(t *testing.T, c *http.Client, prefixes ...string) []string {
	t.Helper()
	var missing string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		lines := scrape(t, c)
		missing = ""
		for _, prefix := range prefixes {
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, prefix) }) {
				missing = prefix
			}
		}
		if missing == "" {
			return lines
		}
	}
	t.Fatalf("no line of the scrape begins with %s:\n%s", missing, strings.Join(scrape(t, c), "\n"))
	return nil
}

// TestMetrics makes something happen, and looks for it in a scrape.
func TestMetrics(t *testing.T) {
	c := client(t, func(c *oneprocess.Config) { c.Auth = "off" })
	do(t, c, http.MethodPut, "/api/v1/users", alice, http.StatusCreated)
	do(t, c, http.MethodPost, "/api/v1/rides", ride, http.StatusCreated)
	do(t, c, http.MethodGet, "/api/v1/rides/1", "", http.StatusOK)
	do(t, c, http.MethodGet, "/api/v1/rides/one/two", "", http.StatusNotFound)
	for _, level := range []string{"eventual", "strong"} {
		do(t, c, http.MethodPost, "/api/v1/db/read", `{"queries":[{"table":"rides","count":true}],"consistency":"`+level+`"}`, http.StatusOK)
	}
	var topology cluster.Topology
	if err := json.Unmarshal([]byte(do(t, c, http.MethodGet, "/api/v1/cluster", "", http.StatusOK)), &topology); err != nil {
		t.Fatal(err)
	}
	master := topology.Master
	before := await(t, c,
		`rideshare_worker_role{role="master",worker="`+master+`"} 1`, `rideshare_worker_state{state="serving",worker="p1.1"} 1`,
		`rideshare_worker_state{state="serving",worker="p2.1"} 1`, `rideshare_worker_state{state="serving",worker="p3.1"} 1`,
		`rideshare_watcher_leading{watcher="watcher-1"} 1`,
		`rideshare_cluster_desired_slaves{watcher="watcher-1"} 2`, `rideshare_queue_messages{queue="writes"} 0`,
		`rideshare_http_request_duration_seconds_count{code="200",function="rides",method="GET",route="/api/v1/rides/{rideId}"} 1`,
		`rideshare_http_request_duration_seconds_count{code="201",function="rides",method="POST",route="/api/v1/rides"} 1`,
		`rideshare_http_request_duration_seconds_count{code="404",function="rides",method="GET",route="none"} 1`,
		`rideshare_bus_call_duration_seconds_count{outcome="ok",queue="writes"} 2`,
		`rideshare_queue_wait_seconds_count{queue="writes",worker="`+master+`"} 2`,
		`rideshare_write_batch_requests_sum{worker="`+master+`"} 2`, `rideshare_database_disk_available_bytes{worker="p1.1"}`,
		`rideshare_worker_lag_entries{worker="p2.1"} 0`,
		`rideshare_database_writable{worker="p2.1"} 1`,
	)
	reads := map[string]bool{}
	level := regexp.MustCompile(`^rideshare_read_duration_seconds_count\{level="(.*)",worker=".*"\} [1-9]`)
	for _, line := range before {
		if m := level.FindStringSubmatch(line); m != nil {
			reads[m[1]] = true
		}
	}
	if !reads["eventual"] || !reads["session"] || !reads["strong"] {
		t.Errorf("reads of the levels %v", reads)
	}
	do(t, c, http.MethodPost, "/api/v1/crash/master", "", http.StatusOK)
	lines := await(t, c,
		`rideshare_recovery_duration_seconds_count{kind="failover",watcher="watcher-1"} 1`,
		`rideshare_recovery_duration_seconds_count{kind="replacement",watcher="watcher-1"} 1`,
		`rideshare_worker_state{state="serving",worker="`+strings.TrimSuffix(master, ".1")+`.2"} 1`,
	)
	// The new master may tell the registry a moment before it tells its metrics.
	for deadline := time.Now().Add(20 * time.Second); masters(lines) != 1; lines = scrape(t, c) {
		if time.Now().After(deadline) {
			t.Fatalf("%d masters", masters(lines))
		}
	}
	for _, line := range lines {
		if strings.Contains(line, `"`+master+`"`) {
			t.Errorf("of a worker that is gone: %s", line)
		}
		if strings.Contains(line, "alice") {
			t.Errorf("tells a user's name: %s", line)
		}
	}
	everyNameExists(t, lines)
}

// masters returns how many workers say that they are master.
func masters(lines []string) int {
	n := 0
	for _, line := range lines {
		if strings.HasPrefix(line, `rideshare_worker_role{role="master"`) && strings.HasSuffix(line, " 1") {
			n++
		}
	}
	return n
}

// everyNameExists compares the names in the dashboard and in the alert rules with a scrape.
func everyNameExists(t *testing.T, scrape []string) {
	t.Helper()
	// What this system has no part of.
	others, w := telemetry.New("test"), httptest.NewRecorder()
	amqp := others.AMQP()
	amqp.Connected()
	amqp.Failed()
	amqp.Ended()
	others.ZooKeeper()(true)
	others.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	there := map[string]bool{}
	for _, line := range append(scrape, strings.Split(w.Body.String(), "\n")...) {
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		there[name] = true
	}
	metric := regexp.MustCompile(`\b(rideshare|process|go)_[a-z_]+`)
	for path, least := range map[string]int{
		"../deploy/observability/alerts.yml":                        10,
		"../deploy/observability/grafana/dashboards/rideshare.json": 20,
	} {
		names := map[string]bool{}
		for _, expression := range expressions(t, path) {
			for _, name := range metric.FindAllString(expression, -1) {
				names[name] = true
			}
		}
		if len(names) < least {
			t.Errorf("%s names %d metrics only", path, len(names))
		}
		for name := range names {
			if !there[name] {
				t.Errorf("%s names %s, which no scrape has", path, name)
			}
		}
	}
}

// expressions returns the PromQL expressions of a dashboard, or the text of the rules.
func expressions(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".json") {
		return []string{string(data)}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var all []string
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			if target.Expr == "" {
				t.Errorf("the panel %q has a target without an expression", p.Title)
			}
			all = append(all, target.Expr)
		}
	}
	return all
}
