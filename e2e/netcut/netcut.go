// Package netcut cuts containers off from each other for a while, and finds out what they can reach, by a
// container of its own in the network namespace of the one in question.
package netcut

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const (
	// Image and ProbeImage are what Build builds.
	Image      = "rideshare/cut:dev"
	ProbeImage = "rideshare/probe:dev"
	// Label is on every container of a cut. Its value is the project.
	Label = "rideshare.chaos"
)

// Way is the direction that is cut, seen from the container.
type Way string

// The directions.
const (
	In   Way = "in"
	Out  Way = "out"
	Both Way = "both"
)

// Cut is what is dropped, and for how long.
type Cut struct {
	Project   string
	Container string
	Peers     []string // IPv4 addresses
	Way       Way
	For       time.Duration
}

// ErrNotBegun: nothing was cut.
var ErrNotBegun = errors.New("netcut: not begun")

// Build builds the images of the commands, from the checkout at root. programs is a folder for what is
// compiled.
func Build(root, programs string) error {
	err := run(root, []string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", programs + "/", "./e2e/netcut/cut", "./e2e/netcut/probe"},
		"CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if err != nil {
		return err
	}
	return run(root, []string{"deploy/images/ours", "cut", "probe"},
		"PROGRAMS="+programs, "RIDESHARE_CUT_IMAGE="+Image, "RIDESHARE_PROBE_IMAGE="+ProbeImage)
}

func run(root string, args []string, env ...string) error {
	cmd := exec.Command("nice", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Reachable returns those of the addresses (IP:port) that take TCP connections from a container.
func Reachable(project, container string, addresses []string) ([]string, error) {
	args := append([]string{
		"run", "--rm", "--label", Label + "=" + project, "--network=container:" + container, "--cap-drop=ALL", "--read-only", ProbeImage,
	}, addresses...)
	var problem bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("probe from %s: %w: %s", container, err, &problem)
	}
	return strings.Fields(string(out)), nil
}

// Listening returns the ports on which something listens in a container, on other addresses than 127.0.0.0/8.
func Listening(project, container string) ([]string, error) {
	return Reachable(project, container, nil)
}

// Begin begins the cut, and returns when packets are dropped. wait waits until they are not any more:
// after For, or when ctx ends. An error of wait means that rules may have stayed; they end with the
// namespace of the container.
func (c Cut) Begin(ctx context.Context) (wait func() error, err error) {
	args := []string{
		"run", "--rm", "--label", Label + "=" + c.Project, "--network=container:" + c.Container,
		"--user=0", "--cap-drop=ALL", "--cap-add=NET_ADMIN", "--read-only", Image,
		"-peers", strings.Join(c.Peers, ","), "-for", c.For.String(),
	}
	if c.Way != Out {
		args = append(args, "-in")
	}
	if c.Way != In {
		args = append(args, "-out")
	}
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // which it passes on
	cmd.WaitDelay = 10 * time.Second
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotBegun, err)
	}
	if !bufio.NewScanner(out).Scan() {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrNotBegun, problem.Bytes()), cmd.Wait())
	}
	return func() error {
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("netcut: the rules may have stayed: %w: %s", err, problem.Bytes())
		}
		return nil
	}, nil
}
