// Package stack brings the system up in containers as a person does, with `make up`, under a
// project's name of its own: for tests and for measurements.
package stack

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/dockertest/freeze"
)

// Stack is the system in containers.
type Stack struct {
	Root             string // the folder of the checkout
	Project, Secrets string // the project's name, and the folder of its secrets
	Port             string // the gateway's on 127.0.0.1
	Env              []string
}

// New returns a stack that is not up yet, whose secrets are to be in that folder. It asks for no
// tokens and does not scale by itself; env is added to the environment, and goes before that.
func New(root, secrets string, env ...string) (*Stack, error) {
	port, err := FreePort()
	return &Stack{
		Root: root, Secrets: secrets, Port: port, Env: env,
		Project: "rideshare-e2e-" + strings.ToLower(rand.Text()[:6]),
	}, err
}

// Run runs a command of the checkout on this project, and returns what it prints.
func (s *Stack) Run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) // relative to the checkout, whose folder is set below
	cmd.Dir = s.Root
	cmd.Env = append(os.Environ(),
		"COMPOSE_PROJECT_NAME="+s.Project, "RIDESHARE_PORT="+s.Port, "RIDESHARE_SECRETS="+s.Secrets,
		"RIDESHARE_AUTH=off", "RIDESHARE_AUTOSCALE=false")
	cmd.Env = append(cmd.Env, s.Env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Down ends it, and deletes its data.
func (s *Stack) Down() error {
	// Also after Ctrl-C.
	if out, err := s.Run(context.Background(), "deploy/down", "--volumes"); err != nil {
		return fmt.Errorf("deploy/down: %w\n%s", err, out)
	}
	left, err := Docker("network", "ls", "-q", "--filter", "label=com.docker.compose.project="+s.Project)
	if err == nil && left != "" {
		err = fmt.Errorf("deploy/down has left networks: %s", left)
	}
	return err
}

// Token returns the service token. The stack is up.
func (s *Stack) Token() (string, error) {
	token, err := os.ReadFile(filepath.Join(s.Secrets, "service_token"))
	return string(token), err
}

// Service returns the container of a service of the compose file.
func (s *Stack) Service(name string) (string, error) {
	id, err := Docker("ps", "-aq", "--filter", "label=com.docker.compose.project="+s.Project, "--filter", "label=com.docker.compose.service="+name)
	if err == nil && id == "" {
		err = fmt.Errorf("there is no container of the service %s", name)
	}
	return id, err
}

// Containers returns the names of the containers of a worker and of its database.
func (s *Stack) Containers(w cluster.Worker) (worker, database string) {
	_, run, _ := strings.Cut(w.ID, ".")
	return fmt.Sprintf("%s-%s-worker-%s", s.Project, w.Pair, run), fmt.Sprintf("%s-%s-database", s.Project, w.Pair)
}

// Docker runs a docker command and returns what it prints.
func Docker(args ...string) (string, error) {
	var out []byte
	err := freeze.Persist(func() (err error) {
		if out, err = exec.Command("docker", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

// Death returns when the engine noticed that a container had died, the last time since then.
func Death(container string, since time.Time) (time.Time, error) {
	stamp := func(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
	out, err := Docker("events", "--since", stamp(since), "--until", stamp(time.Now()),
		"--filter", "container="+container, "--filter", "event=die", "--format", "{{.TimeNano}}")
	if err != nil {
		return time.Time{}, err
	}
	lines := strings.Fields(out)
	if len(lines) == 0 {
		return time.Time{}, fmt.Errorf("%s did not die since %s", container, since)
	}
	nanoseconds, err := strconv.ParseInt(lines[len(lines)-1], 10, 64)
	return time.Unix(0, nanoseconds), err
}

// Address returns one of a container's addresses. It is empty if the container has ended.
func Address(container string) (string, error) {
	all, err := Addresses(container)
	if len(all) == 0 {
		return "", err
	}
	return all[0], err
}

// Addresses returns a container's addresses, one on each of its networks.
func Addresses(container string) ([]string, error) {
	all, err := Docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", container)
	return strings.Fields(all), err
}

// FreePort returns a port of 127.0.0.1 that nobody listens on.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close() //nolint:errcheck // it is given up
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
