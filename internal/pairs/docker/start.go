package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sync/errgroup"

	"rideshare/internal/pairs"
)

// Start implements pairs.Pairs. A database that does not run gets a new container on its volume, so
// that it runs as it is configured now.
func (p *Pairs) Start(ctx context.Context, id string) (pairs.Pair, error) {
	unlock, err := p.lock(ctx, id)
	if err != nil {
		return pairs.Pair{}, err
	}
	defer unlock()
	f, err := p.look(ctx, id)
	if err != nil {
		return pairs.Pair{}, err
	}
	if f == nil {
		return pairs.Pair{}, fmt.Errorf("%w: %s", pairs.ErrNotFound, id)
	}
	if running(f.database) && running(f.last().Summary) {
		return pairs.Pair{}, fmt.Errorf("%w: %s", pairs.ErrExists, id)
	}
	err = p.revive(ctx, f)
	p.mu.Lock()
	delete(p.lost, id)
	if errors.Is(err, errEmptied) {
		p.lost[id] = err.Error()
	}
	p.mu.Unlock()
	if err != nil {
		return pairs.Pair{}, fmt.Errorf("the pair %s: %w", id, err)
	}
	return p.find(ctx, id)
}

// errEmptied: a pair has run on the volume, and the volume is empty.
var errEmptied = errors.New("docker: the volume was emptied, or replaced by an empty one")

// revive starts what does not run of a pair. It keeps the container of the last worker, for its
// log, and removes those before it, with the secrets of any that compose has removed.
func (p *Pairs) revive(ctx context.Context, f *found) error {
	last := f.last()
	if running(last.Summary) { // without its database it is of no use
		if err := p.end(ctx, last.ID); err != nil {
			return err
		}
	}
	for _, w := range f.workers {
		if w.run < last.run {
			if err := p.remove(ctx, w.ID); err != nil {
				return err
			}
		}
	}
	if err := p.sweep(ctx, f.id); err != nil {
		return err
	}
	database := f.database.ID
	if running(f.database) {
		if err := p.join(ctx, f); err != nil {
			return err
		}
	} else {
		if database != "" {
			if err := p.remove(ctx, database); err != nil {
				return err
			}
		}
		var err error
		if database, err = p.newDatabase(ctx, f.id); err != nil {
			return err
		}
	}
	return p.resume(ctx, f, database)
}

// join connects a running database to the network of its pair, and to no other: an older version may have
// started it, or somebody may have disconnected it.
func (p *Pairs) join(ctx context.Context, f *found) error {
	name, joined := p.config.networkName(f.id), false
	if s := f.database.NetworkSettings; s != nil {
		for other := range s.Networks {
			if other == name {
				joined = true
			} else if err := p.api.NetworkDisconnect(ctx, other, f.database.ID, false); err != nil {
				return p.explain("disconnect the database of "+f.id+" from "+other, "", err)
			}
		}
	}
	if joined {
		return nil
	}
	if err := p.newNetwork(ctx, f.id); err != nil {
		return err
	}
	return p.explain("connect the database of "+f.id+" to "+name, "", p.api.NetworkConnect(ctx, name, f.database.ID, nil))
}

// resume starts a worker, and the database where it does not run, with what the volume says.
func (p *Pairs) resume(ctx context.Context, f *found, database string) error {
	password, err := p.get(ctx, database, dataFolder, passwordFile)
	if err != nil {
		return err
	}
	if password == "" && f.used() {
		return fmt.Errorf("%w: %s", errEmptied, p.config.volumeName(f.id))
	}
	if password == "" { // the volume is empty: a Create was cut short
		return p.begin(ctx, f.id, database, newPassword(), f.last().run+1)
	}
	text, err := p.get(ctx, database, dataFolder, runsFile)
	if err != nil {
		return err
	}
	runs, _ := strconv.Atoi(text) // where it is cut short, the containers say the same
	run := max(runs, f.last().run) + 1
	counted := map[string]string{runsFile: strconv.Itoa(run)}
	if err := p.put(ctx, database, dataFolder, databaseUser, 0o400, counted); err != nil {
		return err
	}
	var g errgroup.Group // without a common end: see begin
	if !running(f.database) {
		g.Go(func() error { return p.start(ctx, database, p.config.databaseName(f.id)) })
	}
	g.Go(func() error { return p.launch(ctx, f.id, password, run) })
	return g.Wait()
}
