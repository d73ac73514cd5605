package containers

import (
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"rideshare/e2e/netcut"
	"rideshare/e2e/stack"
)

// ports are all that anything in the containers is known to listen on.
var ports = []string{
	"2181", "2888", "3306", "3888", "4369", "5672", "7000", "8080", "8081", "8082", "8083", "9090", "15692", "25672", "33060",
}

// networks tries every port of every container from every other one, and compares what can be reached with the
// table in docs/operating.md.
func networks(t *testing.T, s *site) {
	if err := netcut.Build("../..", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	parts := map[string][]string{} // the containers of each part
	for id := range strings.FieldsSeq(s.must("docker", "ps", "-q", "--no-trunc", "--filter", "label=com.docker.compose.project="+s.Project)) {
		part := s.must("docker", "inspect", "-f", `{{index .Config.Labels "com.docker.compose.service"}}`, id)
		parts[strings.TrimPrefix(part, "pair-")] = append(parts[strings.TrimPrefix(part, "pair-")], id)
	}
	reached := map[string]bool{} // "from to:port"
	for from, ids := range parts {
		for _, id := range ids {
			for line := range s.reachable(t, parts, from, id) {
				reached[line] = true
			}
		}
	}
	want := documented(t)
	for line := range reached {
		if !want[line] {
			t.Errorf("%s can be reached, and is not in the table", line)
		}
	}
	for line := range want {
		if !reached[line] {
			t.Errorf("%s cannot be reached, and is in the table", line)
		}
	}
	t.Logf("%d containers; what can be reached:\n%s", len(parts), strings.Join(slices.Sorted(maps.Keys(reached)), "\n"))
}

// reachable returns what one container reaches of all others.
func (s *site) reachable(t *testing.T, parts map[string][]string, from, id string) map[string]bool {
	t.Helper()
	owner := map[string]string{} // of each address
	for to, ids := range parts {
		for _, other := range ids {
			if other == id {
				continue
			}
			addresses, err := stack.Addresses(other)
			if err != nil {
				t.Fatal(err)
			}
			name := to
			if from == "worker" && to == "database" || from == "database" && to == "worker" {
				name = map[bool]string{true: "its own ", false: "another's "}[s.pairOf(id) == s.pairOf(other)] + to
			}
			for _, a := range addresses {
				owner[a] = name
			}
		}
	}
	var targets []string
	for a := range owner {
		for _, p := range ports {
			targets = append(targets, net.JoinHostPort(a, p))
		}
	}
	open, err := netcut.Reachable(s.Project, id, targets)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for _, address := range open {
		host, port, _ := net.SplitHostPort(address)
		lines[fmt.Sprintf("%s %s:%s", from, owner[host], port)] = true
	}
	return lines
}

func (s *site) pairOf(id string) string {
	return s.must("docker", "inspect", "-f", `{{index .Config.Labels "rideshare.pair"}}`, id)
}

// documented returns the lines of the table in docs/operating.md, as "from to:port".
func documented(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "<!-- begin networks -->")
	table, _, ends := strings.Cut(table, "<!-- end networks -->")
	if !ok || !ends {
		t.Fatal("docs/operating.md has no table of networks")
	}
	lines := map[string]bool{}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) != 4 || strings.Contains(row, "---") || strings.Contains(row, "from") {
			continue
		}
		for to := range strings.SplitSeq(cells[2], ",") {
			lines[strings.TrimSpace(cells[1])+" "+strings.TrimSpace(to)] = true
		}
	}
	return lines
}
