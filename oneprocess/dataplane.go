package oneprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"

	busmemory "rideshare/internal/bus/memory"
	"rideshare/internal/pairs/inprocess"
	"rideshare/internal/registry"
	registrymemory "rideshare/internal/registry/memory"
	logmemory "rideshare/internal/replog/memory"
	"rideshare/internal/store"
	"rideshare/internal/store/sqlite"
	"rideshare/internal/telemetry"
	"rideshare/internal/tracing"
	"rideshare/watcher"
	"rideshare/workers"
)

// dataPlane is what containers are elsewhere: the queues, the log, the registry, the pairs and the
// watcher.
type dataPlane struct {
	broker   *busmemory.Broker
	log      *logmemory.Log
	registry *registrymemory.Server
	pairs    *inprocess.Pairs
	dir      string // of the databases
	watcher  *watcher.Watcher
	logger   *slog.Logger
	metrics  *telemetry.Metrics
	tracer   tracing.Tracer

	watching []io.Closer // the watcher's connections

	mu      sync.Mutex
	workers map[string]*connected // by id
}

// connected is a worker and its connections.
type connected struct {
	*workers.Worker
	sever func()
}

// Kill implements inprocess.Worker.
func (c *connected) Kill() { c.sever() }

// databaseFile is the file in the folder of a pair.
const databaseFile = "rideshare.sqlite"

func newDataPlane(c Config, folder *folder, logger *slog.Logger, metrics *telemetry.Metrics) (*dataPlane, error) {
	d := &dataPlane{
		broker:   busmemory.NewBroker(busmemory.Options{}),
		log:      logmemory.New(logmemory.Options{}),
		registry: registrymemory.NewServer(registrymemory.Options{}),
		logger:   logger,
		metrics:  metrics,
		tracer:   c.Tracer,
		workers:  map[string]*connected{},
		dir:      filepath.Join(c.Data, "pairs"),
	}
	var err error
	d.pairs, err = inprocess.New(inprocess.Config{
		Dir: d.dir,
		Open: func(ctx context.Context, dir string, create bool) (store.Store, error) {
			if err := folder.restore(); err != nil { // another process may have taken the place of a folder that was moved
				return nil, err
			}
			return sqlite.Open(ctx, filepath.Join(dir, databaseFile), sqlite.Options{Create: create, Unsafe: c.Unsafe})
		},
		Launch: d.launch,
	})
	if err != nil {
		return nil, err
	}
	session, bus := d.registry.Connect(), d.broker.Connect()
	d.watching = []io.Closer{session, bus}
	d.watcher = watcher.New(watcher.Config{
		ID: "watcher-1", Registry: session, Pairs: d.pairs, Bus: bus,
		Slaves: c.Slaves, Auto: c.Autoscale, Rule: c.rule(), Logger: logger,
		Metrics: metrics.Watcher("watcher-1"), Rescue: rescue(d.dir),
	})
	return d, nil
}

// rescue says what an operator does when no database can be read.
func rescue(dir string) string {
	aside := filepath.Join(dir, inprocess.AsideDir)
	return fmt.Sprintf("Either put a database that can be read at %s (a copy of yours, or what "+
		"'sqlite3 FILE .recover' saves of a damaged one); or move %s to another place, start again, which then "+
		"begins with an empty database, and restore a backup ('rideshare restore'). See docs/failures.md",
		filepath.Join(dir, "p1", databaseFile), aside)
}

// launch connects a worker to everything.
func (d *dataPlane) launch(id inprocess.Identity, db store.Store) inprocess.Worker {
	bus, log, session := d.broker.Connect(), d.log.Connect(), d.registry.Connect()
	w, metrics := &connected{}, d.metrics.Worker(id.ID, d.dir)
	w.Worker = workers.New(workers.Config{
		ID: id.ID, Pair: id.Pair, PID: id.PID, Addr: id.ID,
		Store: db, Log: log, Bus: bus, Registry: session,
		Fetch: d.fetch, Logger: d.logger, Metrics: metrics, Tracer: d.tracer,
	})
	w.sever = sync.OnceFunc(func() {
		bus.Kill()
		_ = log.Close() // cannot fail; no append takes effect any more
		session.Kill()
		metrics.Gone()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.workers, id.ID)
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.workers[id.ID] = w
	return w
}

// fetch reads a snapshot from a worker of this process.
func (d *dataPlane) fetch(ctx context.Context, donor registry.Member) (io.ReadCloser, error) {
	return d.Snapshot(ctx, donor.Addr)
}

// Snapshot implements orchestrator.Replicas. A worker's address is its id.
func (d *dataPlane) Snapshot(ctx context.Context, addr string) (io.ReadCloser, error) {
	w, err := d.worker(addr)
	if err != nil {
		return nil, err
	}
	r, out := io.Pipe()
	go func() { out.CloseWithError(w.Export(ctx, out)) }()
	return r, nil
}

// Digest implements orchestrator.Replicas.
func (d *dataPlane) Digest(ctx context.Context, addr string) (string, error) {
	w, err := d.worker(addr)
	if err != nil {
		return "", err
	}
	return w.Digest(ctx)
}

func (d *dataPlane) worker(id string) (*connected, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.workers[id]
	if w == nil {
		return nil, fmt.Errorf("worker %s is gone", id)
	}
	return w, nil
}

// run runs the watcher, which starts the pairs, until ctx ends; then it ends them in good order.
func (d *dataPlane) run(ctx context.Context) error {
	err := d.watcher.Run(ctx)
	faults := []error{err, d.pairs.Close()}
	for _, c := range d.watching {
		faults = append(faults, c.Close())
	}
	return errors.Join(faults...)
}
