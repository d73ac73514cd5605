package docker

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"rideshare/internal/pairs"
)

// found is what there is of a pair.
type found struct {
	id       string
	data     bool              // its volume
	database container.Summary // no ID: none
	workers  []worker          // the last one last
}

type worker struct {
	run int
	container.Summary
}

// running says whether a container runs; a paused one does.
func running(c container.Summary) bool {
	return c.State == container.StateRunning || c.State == container.StatePaused
}

// last returns the pair's present worker; run 0: there is none.
func (f *found) last() worker {
	if len(f.workers) == 0 {
		return worker{}
	}
	return f.workers[len(f.workers)-1]
}

// used reports whether containers are left that tell that the pair has run.
func (f *found) used() bool {
	return len(f.workers) > 0 || f.database.ID != "" && f.database.State != container.StateCreated
}

// everything returns what there is of all pairs, sorted by their numbers, and the highest number
// that a pair has or had.
func (p *Pairs) everything(ctx context.Context) ([]*found, int, error) {
	containers, err := p.containers(ctx, "")
	if err != nil {
		return nil, 0, err
	}
	volumes, err := p.volumes(ctx, "")
	if err != nil {
		return nil, 0, err
	}
	byID := map[string]*found{}
	highest := 0
	of := func(labels map[string]string) *found {
		id := labels[labelPair]
		highest = max(highest, number(id))
		if byID[id] == nil {
			byID[id] = &found{id: id}
		}
		return byID[id]
	}
	aside := setAside(volumes)
	for _, v := range volumes {
		switch pairs.Part(v.Labels[labelPart]) {
		case dataPart:
			if aside[v.Labels[labelPair]] {
				highest = max(highest, number(v.Labels[labelPair]))
				continue
			}
			of(v.Labels).data = true
		case removedPart, keptPart:
			highest = max(highest, number(v.Labels[labelPair]))
		default: // what a worker has left is nothing to start anything on
		}
	}
	for _, c := range containers {
		of(c.Labels).add(c)
	}
	var all []*found
	for _, f := range byID {
		if number(f.id) > 0 {
			slices.SortFunc(f.workers, func(a, b worker) int { return cmp.Compare(a.run, b.run) })
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *found) int { return cmp.Compare(number(a.id), number(b.id)) })
	return all, highest, nil
}

// setAside returns the ids of the pairs whose data was set aside.
func setAside(volumes []*volume.Volume) map[string]bool {
	ids := map[string]bool{}
	for _, v := range volumes {
		if v.Labels[labelPart] == string(keptPart) {
			ids[v.Labels[labelPair]] = true
		}
	}
	return ids
}

func (f *found) add(c container.Summary) {
	switch pairs.Part(c.Labels[labelPart]) {
	case pairs.DatabasePart:
		f.database = c
	case pairs.WorkerPart:
		run, err := strconv.Atoi(c.Labels[labelRun])
		if err == nil {
			f.workers = append(f.workers, worker{run, c})
		}
	}
}

// look returns what there is of a pair; nil: nothing.
func (p *Pairs) look(ctx context.Context, id string) (*found, error) {
	all, _, err := p.everything(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(f *found) bool { return f.id == id })
	if i < 0 {
		return nil, nil
	}
	return all[i], nil
}

// containers returns the containers of a pair, or of all.
func (p *Pairs) containers(ctx context.Context, pair string) ([]container.Summary, error) {
	list, err := p.api.ContainerList(ctx, container.ListOptions{All: true, Filters: p.labelled(pair)})
	// One that is being removed is as good as gone.
	list = slices.DeleteFunc(list, func(c container.Summary) bool { return c.State == container.StateRemoving })
	return list, p.explain("list containers", "", err)
}

func (p *Pairs) volumes(ctx context.Context, pair string) ([]*volume.Volume, error) {
	list, err := p.api.VolumeList(ctx, volume.ListOptions{Filters: p.labelled(pair)})
	return list.Volumes, p.explain("list volumes", "", err)
}

// networks returns the networks of a pair, or of all: one for each pair.
func (p *Pairs) networks(ctx context.Context, pair string) ([]network.Summary, error) {
	list, err := p.api.NetworkList(ctx, network.ListOptions{Filters: p.labelled(pair)})
	return list, p.explain("list networks", "", err)
}

// labelled filters what belongs to a pair of the project, or to any.
func (p *Pairs) labelled(pair string) filters.Args {
	f := filters.NewArgs(filters.Arg("label", labelProject+"="+p.config.Project))
	if pair != "" {
		f.Add("label", labelPair+"="+pair)
	}
	return f
}
