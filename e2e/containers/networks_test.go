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

// networks tries every port on which any container listens from every other one, and compares what can be reached
// with the table in docs/operating.md.
func networks(t *testing.T, s *site) {
	if err := netcut.Build("../..", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	parts := map[string][]string{} // the containers of each part
	for id := range strings.FieldsSeq(s.must("docker", "ps", "-q", "--no-trunc", "--filter", "label=com.docker.compose.project="+s.Project)) {
		part := s.must("docker", "inspect", "-f", `{{index .Config.Labels "com.docker.compose.service"}}`, id)
		parts[strings.TrimPrefix(part, "pair-")] = append(parts[strings.TrimPrefix(part, "pair-")], id)
	}
	ports := map[string]bool{}
	for _, ids := range parts {
		for _, id := range ids {
			listening, err := netcut.Listening(s.Project, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, port := range listening {
				ports[port] = true
			}
		}
	}
	if len(ports) < 8 {
		t.Fatalf("the containers listen on the ports %v only", ports)
	}
	reached := map[string]bool{} // "from to:port"
	for from, ids := range parts {
		for _, id := range ids {
			for line := range s.reachable(t, parts, ports, from, id) {
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
	t.Logf("%d parts and the ports %v; what can be reached:\n%s", len(parts), slices.Sorted(maps.Keys(ports)), strings.Join(slices.Sorted(maps.Keys(reached)), "\n"))
}

// reachable returns what one container reaches of all others.
func (s *site) reachable(t *testing.T, parts map[string][]string, ports map[string]bool, from, id string) map[string]bool {
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
		for p := range ports {
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
