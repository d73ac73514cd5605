package docker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"rideshare/internal/pairs"
)

// List implements pairs.Pairs.
func (p *Pairs) List(ctx context.Context) ([]pairs.Pair, error) {
	p.mu.Lock()
	creating := make(map[string]bool, len(p.creating))
	for id := range p.creating { // before looking: one that is done meanwhile may be missed, never shown in part
		creating[id] = true
	}
	p.mu.Unlock()
	all, _, err := p.everything(ctx)
	if err != nil {
		return nil, err
	}
	image := p.workerImage(ctx)
	list := make([]pairs.Pair, 0, len(all))
	for _, f := range all {
		if creating[f.id] {
			continue
		}
		pair, err := p.describe(ctx, f)
		if err != nil {
			return nil, err
		}
		pair.Worker.Outdated = pair.Worker.Running && image != "" && f.last().ImageID != image
		list = append(list, pair)
	}
	return list, nil
}

// workerImage returns the id of the image that the next worker would have; empty where the engine
// does not have it: then there is nothing newer to run.
func (p *Pairs) workerImage(ctx context.Context) string {
	image, err := p.api.ImageInspect(ctx, p.config.WorkerImage)
	if err != nil {
		return ""
	}
	return image.ID
}

// find returns a pair that is there.
func (p *Pairs) find(ctx context.Context, id string) (pairs.Pair, error) {
	f, err := p.look(ctx, id)
	if err != nil {
		return pairs.Pair{}, err
	}
	if f == nil {
		return pairs.Pair{}, fmt.Errorf("%w: %s", pairs.ErrNotFound, id)
	}
	return p.describe(ctx, f)
}

func (p *Pairs) describe(ctx context.Context, f *found) (pairs.Pair, error) {
	p.mu.Lock()
	pair := pairs.Pair{ID: f.id, Unreadable: p.lost[f.id]}
	p.mu.Unlock()
	var err error
	if f.database.ID != "" {
		if pair.Database, err = p.process(ctx, f.database); err != nil {
			return pair, err
		}
	}
	if w := f.last(); w.run > 0 {
		pair.Worker, err = p.process(ctx, w.Summary)
		pair.Worker.ID = workerID(f.id, w.run)
	}
	return pair, err
}

// inspectTimeout is for a single container: where the engine hangs over one, the others want to be known.
const inspectTimeout = 3 * time.Second

// process describes the process of a container. One that has just been removed does not run. Of one that the
// engine cannot inspect nothing is known but what its list says.
func (p *Pairs) process(ctx context.Context, listed container.Summary) (pairs.Process, error) {
	inspecting, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	c, err := p.api.ContainerInspect(inspecting, listed.ID)
	switch {
	case errdefs.IsNotFound(err):
		return pairs.Process{Fault: "removed"}, nil
	case err != nil && ctx.Err() != nil:
		return pairs.Process{}, p.explain("inspect", "", err)
	case err != nil && running(listed):
		return pairs.Process{Running: true}, nil
	case err != nil:
		return pairs.Process{Fault: fmt.Sprintf("%s, and cannot be inspected: %s", listed.State, err)}, nil
	}
	if c.State.Running {
		return pairs.Process{PID: c.State.Pid, Running: true}, nil
	}
	return pairs.Process{Fault: p.cause(inspecting, listed.ID, c.State), Failed: failed(c.State)}, nil
}

// failed reports whether a container that does not run has ended by itself and with an error.
func failed(s *container.State) bool {
	return !s.OOMKilled && s.Error == "" && !slices.Contains([]int{0, killed, terminated, unknown}, s.ExitCode)
}
