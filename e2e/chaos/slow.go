package chaos

import (
	"context"
	_ "embed"
	"fmt"

	"rideshare/e2e/stack"
)

// slowWrites is how many writes a second a slow disk does: a commit takes two or three.
const slowWrites = 20

//go:embed slow.sh
var slowScript string

// slow lets the disk of a database do few writes a second. The limit is the kernel's, for the database's
// control group, which the engine sets only when it makes a container.
func (i *injector) slow(ctx context.Context, t target) error {
	if err := i.limitWrites(t, slowWrites); err != nil {
		return fmt.Errorf("%w: %w", errNotInjected, err)
	}
	last(ctx, t.For)
	err := i.limitWrites(t, 0)
	if state, _ := stack.Docker("inspect", "-f", "{{.State.Status}}", t.container); state != "running" {
		return nil // it was replaced meanwhile
	}
	return err
}

// limitWrites runs slow.sh in a container that sees the machine's control groups and the database's disk.
func (i *injector) limitWrites(t target, writes int) error {
	id, err := stack.Docker("inspect", "-f", "{{.Id}}", t.container)
	if err != nil {
		return err
	}
	image, err := stack.Docker("inspect", "-f", "{{.Image}}", t.container)
	if err != nil {
		return err
	}
	_, err = stack.Docker("run", "--rm", "--label", chaosLabel+"="+i.Project, "--network=none", "--user=0:0",
		"-v", "/sys/fs/cgroup:/cgroup", "-v", fmt.Sprintf("%s-%s-data:/data:ro", i.Project, t.pair.Pair),
		"--entrypoint=sh", image, "-c", slowScript, "slow.sh", id, fmt.Sprint(writes))
	return err
}
