// Package orchestrator is the function that stands before the database: it passes requests to the
// workers and commands to the watcher, over the bus, and waits for the replies.
package orchestrator

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"rideshare/internal/bus"
	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

// Config is what the function depends on. The bus is required, but for an API that is only
// described and never served.
type Config struct {
	Bus bus.Bus
	// Replicas reaches the workers directly, for what is too large for a queue. Where it is nil, as
	// where no network leads to them, snapshots and checksums are a 503.
	Replicas Replicas
	// Trust says whose word about a client's address is taken, for the history.
	Trust httpapi.Trust
}

// Replicas are the workers, each at the Addr that it has in the topology.
type Replicas interface {
	// Snapshot begins to read what the worker's store exports; ctx has to outlive the reading.
	Snapshot(ctx context.Context, addr string) (io.ReadCloser, error)
	// Digest returns the worker's position, a space, and the checksum of everything it holds.
	Digest(ctx context.Context, addr string) (string, error)
}

// New returns the function as a handler. It adds to the options what it knows best itself: the
// newest position, and whether it can serve.
func New(o httpapi.Options, c Config) http.Handler {
	newest := &consistency.Newest{}
	o.Newest = newest.Get
	o.Ready = func(ctx context.Context) error { return Ready(ctx, c.Bus) }
	api := httpapi.New(o)
	register(api, newFunction(c, newest, api.Logger()))
	return api.Handler()
}

// Register adds the operations to an API.
func Register(api *httpapi.API, c Config) {
	register(api, newFunction(c, &consistency.Newest{}, api.Logger()))
}

func register(api *httpapi.API, f *function) {
	f.registerWrite(api)
	f.registerRead(api)
	f.registerClear(api)
	f.registerSnapshot(api)
	f.registerChecksums(api)
	f.registerWorkers(api)
	f.registerCrash(api)
	f.registerCluster(api)
	f.registerHistory(api)
	f.registerEvents(api)
	f.registerSlaves(api)
	f.registerSwitchover(api)
}

// Ready returns nil when the bus can be reached and there is somebody who writes and who reads.
func Ready(ctx context.Context, b bus.Bus) error {
	for _, q := range []bus.Queue{bus.Writes, bus.Reads} {
		found, err := b.Inspect(ctx, q)
		if err != nil {
			return err
		}
		if found.Consumers == 0 {
			return errors.New("nobody consumes " + string(q))
		}
	}
	return nil
}

type function struct {
	bus      bus.Bus
	replicas Replicas
	newest   *consistency.Newest
	trust    httpapi.Trust
	logger   *slog.Logger
	feed     feed   // of the topology
	recent   recent // records
}

func newFunction(c Config, newest *consistency.Newest, logger *slog.Logger) *function {
	f := &function{bus: c.Bus, replicas: c.Replicas, newest: newest, trust: c.Trust, logger: logger}
	f.feed.read, f.feed.period = f.event, eventPeriod
	return f
}

const (
	databaseTag = "Database"
	clusterTag  = "Cluster"
)

// see notes a position for the Consistency-Token of this answer, and of those that have none.
func (f *function) see(ctx context.Context, p db.Position) {
	f.newest.See(p)
	consistency.FromContext(ctx).See(p)
}
