package chaos

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// cut drops the packets between the container and a peer, by a container of ours in its network
// namespace. That one ends by itself after its time, so that nothing stays cut that is left alone; and
// the namespace ends with the container that is cut off.
func (i *injector) cut(ctx context.Context, t target) error {
	args := []string{
		"run", "--rm", "--label", chaosLabel + "=" + i.Project, "--network=container:" + t.container,
		"--user=0", "--cap-drop=ALL", "--cap-add=NET_ADMIN", "--read-only", i.cutImage, "-peer", t.peer, "-for", t.For.String(),
	}
	if t.Way != Out {
		args = append(args, "-in")
	}
	if t.Way != In {
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
		return fmt.Errorf("%w: %w", errNotInjected, err)
	}
	begun := bufio.NewScanner(out).Scan()
	err = cmd.Wait()
	if !begun {
		return errors.Join(fmt.Errorf("%w: %s", errNotInjected, problem.Bytes()), err)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("the rules may have stayed: %w: %s", err, problem.Bytes())
	}
	return nil
}
