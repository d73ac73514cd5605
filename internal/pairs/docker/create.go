package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"golang.org/x/sync/errgroup"

	"rideshare/internal/pairs"
)

// Create implements pairs.Pairs. What a failed attempt has left is deleted.
func (p *Pairs) Create(ctx context.Context) (pairs.Pair, error) {
	for {
		id, err := p.newID(ctx)
		if err != nil {
			return pairs.Pair{}, err
		}
		pair, err := p.createAs(ctx, id)
		p.mu.Lock()
		delete(p.creating, id)
		p.mu.Unlock()
		if !errors.Is(err, errTaken) { // by another watcher, at the same moment
			return pair, err
		}
	}
}

// newID returns an id that no pair has or had, and keeps it out of List.
func (p *Pairs) newID(ctx context.Context) (string, error) {
	_, highest, err := p.everything(ctx)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID = max(p.lastID, highest) + 1
	id := pairID(p.lastID)
	p.creating[id] = true
	return id, nil
}

func (p *Pairs) createAs(ctx context.Context, id string) (pairs.Pair, error) {
	database, err := p.newDatabase(ctx, id) // the name is the claim to the id
	if errors.Is(err, errTaken) {
		return pairs.Pair{}, err
	}
	if err == nil {
		err = p.begin(ctx, id, database, newPassword(), 1)
	}
	if err != nil {
		return pairs.Pair{}, errors.Join(fmt.Errorf("the pair %s: %w", id, err), p.undo(ctx, id))
	}
	return p.find(ctx, id)
}

// undo deletes what there is of a pair that was not completed.
func (p *Pairs) undo(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	return p.erase(ctx, id)
}

// newDatabase creates a database container on the pair's volume and network, which it creates too where they
// are missing, and returns the container's id.
func (p *Pairs) newDatabase(ctx context.Context, id string) (string, error) {
	name := p.config.volumeName(id)
	_, err := p.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: p.config.labels(id, dataPart, 0)})
	if err != nil {
		return "", p.explain("create "+name, "", err)
	}
	made, err := p.create(ctx, p.config.database(id))
	if err != nil {
		return "", err
	}
	return made, p.newNetwork(ctx, id)
}

// newNetwork creates the network of a pair where it is missing. Its caller has the database's container: names of
// containers are unique, those of networks are not.
func (p *Pairs) newNetwork(ctx context.Context, id string) error {
	list, err := p.networks(ctx, id)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		for _, more := range list[1:] { // two watchers have made one each, at the same moment
			if err := p.removeNetwork(ctx, more); err != nil {
				return err
			}
		}
		return nil
	}
	name := p.config.networkName(id)
	_, err = p.api.NetworkCreate(ctx, name, network.CreateOptions{Internal: true, Labels: p.config.labels(id, networkPart, 0)})
	if errdefs.IsConflict(err) {
		return nil
	}
	return p.explain("create the network "+name, "", err)
}

// begin begins a new pair's life: it gives the database its password, and starts both halves at
// the same time. The password is there first: so a volume without one, of a pair that has had a worker,
// was emptied.
func (p *Pairs) begin(ctx context.Context, id, database, password string, run int) error {
	files := map[string]string{
		passwordFile: password,
		rootFile:     newPassword(), // nobody needs to know it
		runsFile:     strconv.Itoa(run),
	}
	if err := p.put(ctx, database, dataFolder, databaseUser, 0o400, files); err != nil {
		return err
	}
	// The failure of one does not cancel the other: the engine would go on to create a container that
	// the cleanup does not see.
	var g errgroup.Group
	g.Go(func() error { return p.start(ctx, database, p.config.databaseName(id)) })
	g.Go(func() error { return p.launch(ctx, id, password, run) })
	return g.Wait()
}

// launch starts a worker.
func (p *Pairs) launch(ctx context.Context, id, password string, run int) error {
	s := p.config.worker(id, run)
	made, err := p.create(ctx, s)
	if err != nil {
		return err
	}
	files := map[string]string{
		dsnSecret: fmt.Sprintf("%s:%s@tcp(%s:%d)/%s",
			schemaAndUser, password, p.config.databaseName(id), databasePort, schemaAndUser),
	}
	secrets := p.config.WorkerSecrets()
	maps.Copy(files, secrets)
	if err := p.put(ctx, made, secretsFolder, 0, 0o444, files); err != nil {
		return err
	}
	if err := p.start(ctx, made, s.name); err != nil {
		return err
	}
	if now := p.config.WorkerSecrets(); !maps.Equal(now, secrets) { // RefreshSecrets may not have seen this worker
		return p.put(ctx, made, secretsFolder, 0, 0o444, now)
	}
	return nil
}
