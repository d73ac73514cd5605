package containers

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rideshare/e2e/apitest"
)

// shortest is the length from which on a line of a secret's file is looked for: what is shorter is
// a name or a number.
const shortest = 16

// security looks at the running system from outside: what of it can be reached, and what it tells.
func security(t *testing.T, s *site) {
	ids := strings.Fields(s.must("docker", "ps", "-aq", "--filter", "label=com.docker.compose.project="+s.Project))
	if len(ids) < 10 {
		t.Fatalf("only %d containers", len(ids))
	}
	t.Run("only the gateway can be reached, from this machine alone", func(t *testing.T) {
		for _, id := range ids {
			ports := s.must("docker", "inspect", "-f", "{{.Name}} {{.HostConfig.NetworkMode}} {{range $p, $b := .HostConfig.PortBindings}}{{range $b}}{{.HostIp}}:{{.HostPort}}{{end}}{{end}}", id)
			name, rest, _ := strings.Cut(ports, " ")
			mode, bound, _ := strings.Cut(rest, " ")
			want := ""
			if strings.Contains(name, "gateway") {
				want = "127.0.0.1:" + s.Port
			}
			if strings.TrimSpace(bound) != want || mode == "host" {
				t.Errorf("%s: network %s, published %q, want %q", name, mode, bound, want)
			}
		}
	})
	t.Run("nothing runs with more rights than it needs", func(t *testing.T) {
		for _, id := range ids {
			rights := s.must("docker", "inspect", "-f", "{{.HostConfig.Privileged}}{{.HostConfig.PidMode}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}", id)
			if strings.Replace(rights, "privileges:true", "privileges", 1) != "false [ALL] [no-new-privileges]" {
				t.Errorf("%s: %s", s.must("docker", "inspect", "-f", "{{.Name}}", id), rights)
			}
		}
	})
	t.Run("nothing can take all of the machine", func(t *testing.T) {
		for _, id := range ids {
			limits := s.must("docker", "inspect", "-f", "{{.Name}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}", id)
			for i, limit := range strings.Fields(limits)[1:] {
				if n, err := strconv.ParseInt(limit, 10, 64); err != nil || n <= 0 {
					t.Errorf("%s: its %s is not limited", limits, []string{"memory", "swap", "number of processes", "processors"}[i])
				}
			}
		}
	})
	t.Run("no secret is told", func(t *testing.T) {
		secrets := s.secretValues(t)
		for _, id := range ids {
			name := s.must("docker", "inspect", "-f", "{{.Name}} {{.Image}}", id)
			name, image, _ := strings.Cut(name, " ")
			for what, text := range map[string]string{
				"its log": s.must("docker", "logs", id), "docker inspect": s.must("docker", "inspect", id),
				"its image": s.must("docker", "inspect", image), "its image's history": s.must("docker", "history", "--no-trunc", image),
			} {
				for file, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("%s: %s has the secret of %s", name, what, file)
					}
				}
			}
		}
	})
	t.Run("ZooKeeper is closed to strangers", func(t *testing.T) {
		// zkCli.sh fails, or only says so, by version.
		out, _ := s.Run(t.Context(), "docker", "exec", s.Service("zookeeper"), "zkCli.sh", "-server", "127.0.0.1:2181", "ls", "/")
		if !strings.Contains(out, "Insufficient permission") && !strings.Contains(out, "NoAuth") {
			t.Errorf("a stranger may list the root: %s", out)
		}
	})
	t.Run("slow and idle clients", func(t *testing.T) {
		apitest.Crowd(t, apitest.Target{URL: s.Target.URL})
	})
}

// must runs a command that has to succeed, and returns what it prints.
func (s *site) must(name string, args ...string) string {
	s.Helper()
	out, err := s.Run(s.Context(), name, args...)
	if err != nil {
		s.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return strings.TrimSpace(out)
}

// secretValues returns what the files of the folder of secrets keep, by file.
func (s *site) secretValues(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Secrets, "*"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text = bytes.TrimSpace(text); len(text) >= shortest {
			values[filepath.Base(file)] = string(text)
		}
	}
	if len(values) < 5 {
		t.Fatalf("only %d secrets", len(values))
	}
	return values
}
