package docker

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"golang.org/x/sync/errgroup"

	"rideshare/internal/pairs"
)

// Kill implements pairs.Pairs.
func (p *Pairs) Kill(ctx context.Context, id string, part pairs.Part) error {
	f, err := p.look(ctx, id)
	if err != nil {
		return err
	}
	if f != nil {
		victim := f.database
		if part == pairs.WorkerPart {
			victim = f.last().Summary
		}
		if running(victim) {
			err := p.api.ContainerKill(ctx, victim.ID, "KILL")
			if !gone(err) {
				return p.explain("kill the "+string(part)+" of "+id, "", err)
			}
		}
	}
	return fmt.Errorf("%w: the %s of %s does not run", pairs.ErrNotFound, part, id)
}

// gone reports whether err says that the container does not run any more.
func gone(err error) bool { return errdefs.IsNotFound(err) || errdefs.IsConflict(err) }

// Remove implements pairs.Pairs.
func (p *Pairs) Remove(ctx context.Context, id string) error {
	unlock, err := p.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := p.bury(ctx, id); err != nil {
		return err
	}
	return p.erase(ctx, id)
}

// bury keeps the number of the pair from being used again, where no pair has a higher one.
func (p *Pairs) bury(ctx context.Context, id string) error {
	all, highest, err := p.everything(ctx)
	if err != nil || number(id) < highest || len(all) == 0 || all[len(all)-1].id != id {
		return err
	}
	labels := p.config.labels(id, removedPart, 0)
	_, err = p.api.VolumeCreate(ctx, volume.CreateOptions{Name: p.config.tombstoneName(id), Labels: labels})
	if err != nil {
		return p.explain("keep the number of "+id, "", err)
	}
	volumes, err := p.volumes(ctx, "")
	if err != nil {
		return err
	}
	for _, v := range volumes {
		before := number(v.Labels[labelPair]) < number(id)
		if v.Labels[labelPart] == string(removedPart) && before {
			if err := p.removeVolume(ctx, v.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// erase removes the containers and the network of a pair, then its volumes, but for what was set aside.
func (p *Pairs) erase(ctx context.Context, id string) error {
	if err := p.eraseContainers(ctx, id); err != nil {
		return err
	}
	volumes, err := p.volumes(ctx, id)
	if err != nil || setAside(volumes)[id] {
		return err
	}
	for _, v := range volumes {
		if v.Labels[labelPart] != string(removedPart) {
			if err := p.removeVolume(ctx, v.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pairs) eraseContainers(ctx context.Context, id string) error {
	containers, err := p.containers(ctx, id)
	if err != nil {
		return err
	}
	g, removing := errgroup.WithContext(ctx)
	for _, c := range containers {
		g.Go(func() error { return p.remove(removing, c.ID) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	list, err := p.networks(ctx, id)
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := p.removeNetwork(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// removeNetwork removes a network by its id: engines before 25 allow several of one name.
func (p *Pairs) removeNetwork(ctx context.Context, n network.Summary) error {
	if err := p.api.NetworkRemove(ctx, n.ID); !errdefs.IsNotFound(err) {
		return p.explain("remove the network "+n.Name, "", err)
	}
	return nil
}

// end kills a container that is not wanted any more. Its death is no event.
func (p *Pairs) end(ctx context.Context, id string) error {
	p.hush(id)
	if err := p.api.ContainerKill(ctx, id, "KILL"); !gone(err) {
		return p.explain("kill", "", err)
	}
	return nil
}

// remove removes a container, and with it the volumes that have no name.
func (p *Pairs) remove(ctx context.Context, id string) error {
	p.hush(id)
	err := p.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case errdefs.IsNotFound(err):
		return nil
	case errdefs.IsConflict(err): // an earlier removal is under way
		return p.awaitRemoval(ctx, id)
	default:
		return p.explain("remove a container", "", err)
	}
}

func (p *Pairs) awaitRemoval(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	removed, failed := p.api.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case <-removed:
		return nil
	case err := <-failed:
		if errdefs.IsNotFound(err) {
			return nil
		}
		return p.explain("wait for a removal", "", err)
	}
}

// sweep removes the volumes of a pair's workers whose containers are gone.
func (p *Pairs) sweep(ctx context.Context, id string) error {
	volumes, err := p.volumes(ctx, id)
	if err != nil {
		return err
	}
	for _, v := range volumes {
		if v.Labels[labelPart] != string(secretsPart) {
			continue
		}
		if err := p.api.VolumeRemove(ctx, v.Name, false); !gone(err) && err != nil { // in use is a conflict
			return p.explain("remove the volume "+v.Name, "", err)
		}
	}
	return nil
}

func (p *Pairs) removeVolume(ctx context.Context, name string) error {
	err := p.api.VolumeRemove(ctx, name, true)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return p.explain("remove the volume "+name, "", err)
}

func (p *Pairs) hush(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quiet[id] = true
}
