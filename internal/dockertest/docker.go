package dockertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"rideshare/internal/dockertest/freeze"
)

// patience is how long one command of docker may take.
const patience = time.Minute

// docker runs the docker command with additions to the environment and returns what it prints. An
// error contains what it said, but not its arguments, which may be secrets.
func docker(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// do runs a command that has to succeed. A failure fails the test and lets it go on, so that this may
// be called from any goroutine.
func do(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out string
	err := freeze.Persist(func() (err error) {
		out, err = docker(ctx, nil, args...)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(out)
}
