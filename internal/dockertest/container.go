package dockertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Container is a running service. Methods that take a test fail it when Docker refuses, and go on:
// they may be called from any goroutine of the test, except Await.
type Container struct {
	name   string
	ports  map[int]int // the container's to this machine's
	ping   func(context.Context, *Container) error
	within time.Duration
}

var containers atomic.Int64 // gives each container of this process a number

// Start starts a container, which ends with the test. It does not wait until the service answers:
// that is Await.
func Start(t testing.TB, o Options) *Container {
	t.Helper()
	Require(t)
	img := o.Image
	if o.Service != "" {
		img = Image(t, o.Service)
	}
	if o.Name == "" {
		o.Name = o.Service
	}
	c := &Container{
		name:   fmt.Sprintf("dockertest-%s-%d-%d", o.Name, os.Getpid(), containers.Add(1)),
		ports:  map[int]int{},
		ping:   o.Ping,
		within: o.Within,
	}
	for _, inside := range o.Ports {
		c.ports[inside] = reservePort(t)
	}
	args, env := o.flags(c.name, img, c.ports)
	t.Cleanup(func() { c.remove(t) })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := docker(ctx, env, args...); err != nil {
		t.Fatalf("starting %s: %v", c.name, err)
	}
	return c
}

// remove takes the container and its anonymous volumes away. A test that failed shows how it ended.
func (c *Container) remove(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if t.Failed() {
		last, err := c.logs("--tail", "30")
		t.Logf("the last lines of %s (%v):\n%s", c.name, err, last)
	}
	if _, err := docker(ctx, nil, "rm", "--force", "--volumes", c.name); err != nil && !strings.Contains(err.Error(), "No such container") {
		t.Error(err)
	}
}

// Name is the container's name for Docker, and on its network.
func (c *Container) Name() string { return c.name }

// Addr is where this machine reaches a port of the container, as long as the test runs: killing and
// starting it does not change the address.
func (c *Container) Addr(port int) string {
	outside, ok := c.ports[port]
	if !ok {
		panic(fmt.Sprintf("dockertest: port %d of %s is not in Options.Ports", port, c.name))
	}
	return fmt.Sprintf("127.0.0.1:%d", outside)
}

func publish(outside, inside int) string { return fmt.Sprintf("127.0.0.1:%d:%d", outside, inside) }

// Kill ends the service at once, as losing power does. The container stays, with its data.
func (c *Container) Kill(t testing.TB) { t.Helper(); do(t, "kill", c.name) }

// Stop asks the service to end, and kills it after 30 s.
func (c *Container) Stop(t testing.TB) { t.Helper(); do(t, "stop", "--time", "30", c.name) }

// Start starts the service again, on the same data and ports. It does not wait: see Await.
func (c *Container) Start(t testing.TB) { t.Helper(); do(t, "start", c.name) }

// Pause freezes the service: connections stay open, and nothing answers.
func (c *Container) Pause(t testing.TB) { t.Helper(); do(t, "pause", c.name) }

// Unpause ends Pause.
func (c *Container) Unpause(t testing.TB) { t.Helper(); do(t, "unpause", c.name) }

// Exec runs a command in the container.
func (c *Container) Exec(t testing.TB, command ...string) { t.Helper(); c.Output(t, command...) }

// Output runs a command in the container and returns what it prints, without the last line's end.
func (c *Container) Output(t testing.TB, command ...string) string {
	t.Helper()
	return do(t, append([]string{"exec", c.name}, command...)...)
}

// Logs returns what the service has printed since it was first started.
func (c *Container) Logs(t testing.TB) string {
	t.Helper()
	out, err := c.logs()
	if err != nil {
		t.Error(err)
	}
	return out
}

func (c *Container) logs(flags ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", append(append([]string{"logs"}, flags...), c.name)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker logs: %w: %s", err, out)
	}
	return string(out), nil
}

// State is Docker's word for it: running, paused, exited.
func (c *Container) State(t testing.TB) string {
	t.Helper()
	return do(t, "inspect", "--format", "{{.State.Status}}", c.name)
}

// Ping asks the service once whether it serves.
func (c *Container) Ping(ctx context.Context) error {
	if c.ping == nil {
		return nil
	}
	return c.ping(ctx, c)
}

// Await waits until the service serves, and ends the test when it does not or when it has died.
func (c *Container) Await(t testing.TB) {
	t.Helper()
	within := c.within
	if within == 0 {
		within = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := c.Ping(ctx)
		if err == nil {
			return
		}
		if attempt%50 == 0 { // about every second
			if state := c.State(t); state != "running" {
				t.Fatalf("%s is %s: %v", c.name, state, err)
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not serve within %v: %v", c.name, within, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
