package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

// containers is our system in containers.
type containers struct {
	*system
	stack *stack.Stack
}

// startContainers starts our system, with a master and two slaves. It has to be ended also after an error.
func startContainers(ctx context.Context, s *stack.Stack) (*containers, error) {
	if out, err := s.Run(ctx, "make", "up"); err != nil {
		return nil, fmt.Errorf("make up: %w\n%s", err, out)
	}
	token, err := s.Token()
	if err != nil {
		return nil, err
	}
	gateway, err := s.Service("gateway")
	if err != nil {
		return nil, err
	}
	address, err := stack.Address(gateway)
	if err != nil {
		return nil, err
	}
	c := &containers{newSystem(ours, "http://"+address+":8080", token), s}
	return c, c.whole(ctx, "")
}

func (c *containers) topology(ctx context.Context) (t cluster.Topology, err error) {
	a, err := c.target.Must(ctx, http.StatusOK, http.MethodGet, "/cluster", nil)
	if err == nil {
		err = json.Unmarshal(a.Body, &t)
	}
	return t, err
}

// whole waits until everything serves, without that very worker.
func (c *containers) whole(ctx context.Context, without string) error {
	return until(ctx, "all workers serve", func() error {
		t, err := c.topology(ctx)
		if err != nil {
			return err
		}
		serving := 0
		for _, w := range t.Workers {
			if w.State == cluster.Serving && w.ID != without {
				serving++
			}
		}
		if t.Master == "" || serving != t.Desired.Slaves+1 || len(t.Workers) != serving {
			return fmt.Errorf("%d of %d workers serve", serving, len(t.Workers))
		}
		return nil
	})
}

// killPrimary kills the master's worker, and returns what waits until everything serves again.
func (c *containers) killPrimary(ctx context.Context) (restore func() error, err error) {
	t, err := c.topology(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range t.Workers {
		if w.ID == t.Master {
			worker, _ := c.stack.Containers(w)
			if _, err := stack.Docker("kill", worker); err != nil {
				return nil, err
			}
			return func() error { return c.whole(ctx, w.ID) }, nil
		}
	}
	return nil, fmt.Errorf("there is no master: %+v", t)
}

// startOneProcess starts our system in one process of this machine, with its data beside the
// checkout's binaries. end ends it and deletes the data; it is never nil.
func startOneProcess(ctx context.Context, root string) (s *system, end func() error, err error) {
	end = func() error { return nil }
	port, err := stack.FreePort()
	if err != nil {
		return nil, end, err
	}
	data, err := os.MkdirTemp(filepath.Join(root, "bin"), "bench-data-")
	if err != nil {
		return nil, end, err
	}
	end = func() error { return os.RemoveAll(data) }
	cmd := exec.Command(filepath.Join(root, "bin", "rideshare"), "run")
	cmd.Env = append(os.Environ(), "RIDESHARE_ADDR=127.0.0.1:"+port, "RIDESHARE_DATA="+data, "RIDESHARE_AUTH=off", "RIDESHARE_AUTOSCALE=false")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us, who end it
	if err := cmd.Start(); err != nil {
		return nil, end, fmt.Errorf("%w (make build)", err)
	}
	end = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		killed := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer killed.Stop()
		_ = cmd.Wait() // whatever it was, it is over
		return os.RemoveAll(data)
	}
	s = newSystem(oneProcess, "http://127.0.0.1:"+port, "")
	return s, end, s.awaitReady(ctx)
}
