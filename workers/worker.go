// Package workers is one worker: it owns a replica's database and keeps it equal to the log. As
// master it executes writes and appends them to the log; as slave it follows the log and answers
// reads. The role changes in place: same process, same database.
//
// DESIGN.md beside this file says who owns what, and what happens in each failure.
package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	"rideshare/internal/store"
	"rideshare/internal/tracing"
)

// Config is what a worker is made of. The worker closes none of it.
type Config struct {
	ID   string // unlike that of any other worker, also of an earlier one on the same database
	Pair string
	PID  int
	Addr string // where this worker gives snapshots, as Fetch of the others understands it

	Store    store.Store
	Log      replog.Log
	Bus      bus.Bus
	Registry registry.Registry
	// Quiet is how long the log may be silent before the worker doubts its connection to it; 0: it
	// never does, as with a log in memory.
	Quiet time.Duration
	// Fetch reads a snapshot from another worker.
	Fetch func(ctx context.Context, donor registry.Member) (io.ReadCloser, error)
	// Logger gets what an operator wants to know: changes of role and state, and faults.
	Logger *slog.Logger
	// Metrics is told what the worker does; nil: nobody is.
	Metrics Metrics
	// Tracer begins spans for requests that are traced; nil: none.
	Tracer tracing.Tracer
}

// The worker's constants. DESIGN.md ("Become master", "Write") gives the first two.
const (
	rankDelay     = 30 * time.Millisecond // a candidate waits its rank times this
	maxBatch      = 256                   // requests that go into one entry
	maxBatchBytes = 1 << 20               // and the bytes of their bodies, roughly
	writePrefetch = 2 * maxBatch          // so that the next batch gathers while one is under way
	readPrefetch  = 64                    // reads that a worker has in hand at a time
	statusEvery   = time.Second           // how old the position in the registry may be
	relistEvery   = 5 * time.Second       // how long a lost registry event can go unnoticed
	retryEvery    = time.Second           // until what was appended and not read back is appended again
	// keepAlive is how many records may follow the last entry before the master appends an empty
	// one: replicas attach at the last entry, which must not fall to the log's retention.
	keepAlive = 10_000
)

// Worker is one worker.
type Worker struct {
	Config

	status      *status
	barriers    *barriers
	demand      *demand
	orders      chan order
	reads       atomic.Uint64                   // served
	writes      atomic.Uint64                   // executed as master
	following   atomic.Pointer[replog.Follower] // nil: it follows no log yet
	proposed    atomic.Pointer[time.Time]       // since when an append waits to be read back; nil: none does
	yields      chan struct{}                   // tells a replica that leads to leave that to another
	registering chan struct{}                   // holds one while the worker registers
	asked       chan struct{}                   // tells a replica that leads that another waits for a sign of it
	lag         uint64                          // entries, when attend has looked last; attend's alone
	asideSince  time.Time                       // when attend last saw no reason to stand aside; attend's alone
	vacantSince time.Time                       // since when the worker is registered as master and does not lead; attend's
	damage      chan error                      // why the database cannot be read
	trial       [][]db.Op                       // what found no room when it was master; replicate's alone
}

// order is what the registry's side tells the replica to do: lead the epoch, seed a new log, or serve.
type order struct {
	epoch uint64 // lead, when above 0
	seed  bool
	above uint64      // seed: the highest epoch that anybody has seen
	open  bool        // serve: no other replica has more than the log
	at    db.Position // open: while the database is there
}

// New returns a worker. Run runs it.
func New(c Config) *Worker {
	c.Logger = c.Logger.With("worker", c.ID)
	if c.Metrics == nil {
		c.Metrics = unmeasured{}
	}
	return &Worker{
		Config:      c,
		status:      newStatus(),
		barriers:    newBarriers(),
		demand:      newDemand(),
		orders:      make(chan order, 1),
		yields:      make(chan struct{}, 1),
		asked:       make(chan struct{}, 1),
		registering: make(chan struct{}, 1),
		damage:      make(chan error, 1),
	}
}

// Run runs the worker until ctx ends, which is no error, or something fails for good. Most
// failures of the log, the bus and the registry are waited out, and so is a full disk. Another failure
// of the database is not: the worker ends, and what it held goes to others.
func (w *Worker) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.replicate(ctx) })
	g.Go(func() error { return w.attend(ctx) })
	g.Go(func() error { return w.barriers.run(ctx, w.Log, w.status) })
	g.Go(func() error { return w.serveReads(ctx) })
	g.Go(func() error { return w.awaitDamage(ctx) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("worker %s: %w", w.ID, err)
}

// Export writes a snapshot of the worker's database, for another worker to join with.
func (w *Worker) Export(ctx context.Context, to io.Writer) error {
	if v := w.status.now(); !v.gives() {
		return fmt.Errorf("worker %s is %s and gives no snapshot", w.ID, v.State)
	}
	_, err := w.Store.Export(ctx, to)
	return w.damaged(err)
}

// Digest returns the position and the checksum of the worker's database, as one text.
func (w *Worker) Digest(ctx context.Context) (string, error) {
	sum, state, err := w.Store.Checksum(ctx)
	if err != nil {
		return "", w.damaged(err)
	}
	return fmt.Sprintf("%d %s", state.Seq, sum), nil
}

// member describes the worker for the registry.
func (w *Worker) member(v view) registry.Member {
	m := registry.Member{
		ID: w.ID, Pair: w.Pair, PID: w.PID, Addr: w.Addr,
		Role: cluster.Slave, State: v.State, LogID: v.Log.LogID,
		AtEnd: v.AtEnd, Position: v.Log.Position(), Reads: w.reads.Load(), Writes: w.writes.Load(), Database: registry.DatabaseOK,
	}
	if v.Full != "" {
		m.Database = v.Full
	}
	m.Leader, m.CutOff = v.Leader, w.cutOff()
	if v.Leads > 0 {
		m.Role = cluster.Master
	}
	if v.State == cluster.Deleted {
		m.Database = filesGone
	}
	return m
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
