package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rideshare/client"
	"rideshare/internal/consistency"
)

// observation is all that the doctor has seen.
type observation struct {
	url   string
	now   time.Time
	local bool // the system should be on this machine

	answer     *http.Response // to GET /healthz; without its body
	answerErr  error
	topology   *client.Topology // nil: clusterErr says why
	later      *client.Topology // some seconds after it; nil where it could not be seen again
	clusterErr error
	writeErr   error // of an empty write
	wrote      bool  // an empty write was tried

	disks      []disk
	containers []container // of the compose project; none: there is no engine, or no such project
}

// disk is a file system that something is kept on.
type disk struct {
	what, path  string
	free, total uint64 // bytes
}

// dataFolder is the disk of a system in one process.
const dataFolder = "the data folder"

// ours reports whether the answer is one of RideShare, of which each carries a Consistency-Token.
func (o *observation) ours() bool {
	return o.answer != nil && o.answer.Header.Get(consistency.Header) != ""
}

// engine is what the doctor sees of containers.
type engine interface {
	// containers returns those of the project, with the last lines that each has logged.
	containers(ctx context.Context) ([]container, error)
	// root is the folder that the engine keeps everything in.
	root(ctx context.Context) (string, error)
}

type doctor struct {
	*operator
	engine engine // nil: none is looked at
	wait   time.Duration
}

// probeTimeout bounds each look: shorter than an operator's patience.
const probeTimeout = 5 * time.Second

// observe looks at everything. What cannot be seen is part of the observation; the error is of the
// command line.
func (d *doctor) observe(ctx context.Context) (*observation, error) {
	c, err := d.client(client.WithPatience(0))
	if err != nil {
		return nil, err
	}
	o := &observation{url: d.url, now: time.Now(), local: d.local()}
	o.answer, o.answerErr = d.knock(ctx) //nolint:bodyclose // it is closed
	if o.ours() {
		d.ask(ctx, c, o)
	}
	if d.engine != nil {
		// Without an engine, what is seen from outside has to do.
		o.containers, _ = d.engine.containers(ctx)
	}
	o.disks = d.disks(ctx, len(o.containers) > 0)
	return o, ctx.Err()
}

// knock asks whether anything is there.
func (d *doctor) knock(ctx context.Context) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(d.url, "/")+"/healthz", nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close() // the header says it
	}
	return resp, err
}

// ask asks what an operator may ask.
func (d *doctor) ask(ctx context.Context, c *client.Client, o *observation) {
	if o.topology, o.clusterErr = bounded(ctx, c.GetCluster); client.StatusOf(o.clusterErr) == http.StatusUnauthorized {
		return
	}
	_, o.writeErr = bounded(ctx, func(ctx context.Context) (*client.WriteResult, error) {
		zero := int64(0)
		nobody := []client.Condition{{Column: "username", Op: "=", Value: ""}}
		return c.DBWrite(ctx, client.WriteRequest{Ops: []client.WriteOp{{Check: "users", Where: nobody, Expect: &zero}}})
	})
	o.wrote = true
	if o.topology == nil || calm(o.topology) {
		return
	}
	select {
	case <-time.After(d.wait):
		o.later, _ = bounded(ctx, c.GetCluster) // nil: it cannot be told
	case <-ctx.Done():
	}
}

// calm reports whether one look is enough.
func calm(t *client.Topology) bool {
	for _, w := range t.Workers {
		if w.State != "serving" || w.Lag > 0 || w.Database != "ok" {
			return false
		}
	}
	return t.Master != "" && len(t.Faults) == 0 && int64(len(t.Workers)) > t.Desired.Slaves
}

func bounded[T any](ctx context.Context, f func(context.Context) (*T, error)) (*T, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return f(ctx)
}

// disks looks at those of a system on this machine.
func (d *doctor) disks(ctx context.Context, contained bool) []disk {
	if !d.local() {
		return nil
	}
	what, path := dataFolder, d.get("RIDESHARE_DATA", "data")
	if contained {
		var err error
		if path, err = d.engine.root(ctx); err != nil {
			return nil
		}
		what = "the Docker engine's folder"
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(full); err != nil {
		return nil // not where we are
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(full, &s); err != nil {
		return nil
	}
	size := uint64(s.Bsize)
	return []disk{{what: what, path: full, free: s.Bavail * size, total: s.Blocks * size}}
}
