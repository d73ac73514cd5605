package docker

import (
	"context"
	"slices"

	"github.com/docker/docker/api/types/volume"
)

// SetAside implements pairs.Pairs. The place is the name of the data volume. Where there is none, as
// somebody has removed it, an empty one takes its place: as long as it is there, everybody knows that
// there was a database.
func (p *Pairs) SetAside(ctx context.Context, id string) (string, error) {
	unlock, err := p.lock(ctx, id)
	if err != nil {
		return "", err
	}
	defer unlock()
	f, err := p.look(ctx, id)
	if err != nil || f == nil {
		return "", err
	}
	// That it is kept comes first: without its containers, a volume of which nothing says so could be removed.
	place := p.config.volumeName(id)
	for _, v := range []volume.CreateOptions{
		{Name: place, Labels: p.config.labels(id, dataPart, 0)}, // mostly there
		{Name: p.config.keptName(id), Labels: p.config.labels(id, keptPart, 0)},
	} {
		if _, err := p.api.VolumeCreate(ctx, v); err != nil {
			return "", p.explain("create "+v.Name, "", err)
		}
	}
	if err := p.eraseContainers(ctx, id); err != nil {
		return "", err
	}
	if err := p.sweep(ctx, id); err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.lost, id) // an operator may bring it back
	return place, nil
}

// Aside implements pairs.Pairs.
func (p *Pairs) Aside(ctx context.Context) ([]string, error) {
	volumes, err := p.volumes(ctx, "")
	if err != nil {
		return nil, err
	}
	aside := setAside(volumes)
	var places []string
	for _, v := range volumes {
		if v.Labels[labelPart] == string(dataPart) && aside[v.Labels[labelPair]] {
			places = append(places, v.Name)
		}
	}
	slices.Sort(places)
	return places, nil
}
