package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	busrabbitmq "rideshare/internal/bus/rabbitmq"
	"rideshare/internal/pairs/inprocess"
	"rideshare/internal/registry"
	registrymemory "rideshare/internal/registry/memory"
	lograbbitmq "rideshare/internal/replog/rabbitmq"
	"rideshare/internal/store"
	"rideshare/internal/store/sqlite"
	"rideshare/watcher"
	"rideshare/workers"
)

// plane is what stands behind the functions: the watcher and the workers, in this process, on a
// real broker.
type plane struct {
	broker   string // URL
	registry *registrymemory.Server
	logger   *slog.Logger

	mu      sync.Mutex
	workers map[string]*worker // by id
}

// worker is a worker with its connections, and a network that can be cut.
type worker struct {
	*workers.Worker
	network   *amqptest.Process
	session   *registrymemory.Session
	connected []io.Closer
}

func newPlane(broker string) *plane {
	return &plane{
		broker: broker, registry: registrymemory.NewServer(registrymemory.Options{}),
		logger: slog.New(slog.DiscardHandler), workers: map[string]*worker{},
	}
}

// launch makes a worker.
func (p *plane) launch(id inprocess.Identity, db store.Store) inprocess.Worker {
	w := &worker{network: &amqptest.Process{}, session: p.registry.Connect()}
	broker := amqp.Options{URL: p.broker, Name: id.ID, Heartbeat: time.Second, Dial: w.network.Dial}
	bus, err := busrabbitmq.New(busrabbitmq.Options{Broker: broker})
	if err != nil {
		panic(err) // the URL is the container's
	}
	log, err := lograbbitmq.New(lograbbitmq.Options{Broker: broker})
	if err != nil {
		panic(err) // as above
	}
	w.connected = []io.Closer{bus, log, w.session}
	w.Worker = workers.New(workers.Config{
		ID: id.ID, Pair: id.Pair, PID: id.PID, Addr: id.ID,
		Store: db, Log: log, Bus: bus, Registry: w.session, Fetch: p.fetch, Logger: p.logger,
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers[id.ID] = w
	return w
}

// Run implements inprocess.Worker.
func (w *worker) Run(ctx context.Context) error {
	faults := []error{w.Worker.Run(ctx)}
	for _, c := range w.connected {
		faults = append(faults, c.Close())
	}
	return errors.Join(faults...)
}

// Kill implements inprocess.Worker.
func (w *worker) Kill() {
	w.network.Kill()
	w.session.Kill()
}

// fetch reads a snapshot from a worker of this process.
func (p *plane) fetch(ctx context.Context, donor registry.Member) (io.ReadCloser, error) {
	p.mu.Lock()
	w := p.workers[donor.Addr]
	p.mu.Unlock()
	if w == nil {
		return nil, fmt.Errorf("worker %s is gone", donor.ID)
	}
	r, out := io.Pipe()
	go func() { out.CloseWithError(w.Export(ctx, out)) }()
	return r, nil
}

// watch runs a watcher, and the pairs that it starts or finds in a folder, until the function that
// it returns is called or the test ends.
func (p *plane) watch(t *testing.T, dir string) (stop func()) {
	t.Helper()
	pairs, err := inprocess.New(inprocess.Config{Dir: dir, Open: open, Launch: p.launch})
	if err != nil {
		t.Fatal(err)
	}
	bus, err := busrabbitmq.New(busrabbitmq.Options{Broker: amqp.Options{URL: p.broker, Name: "watcher", Heartbeat: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	session := p.registry.Connect()
	w := watcher.New(watcher.Config{
		ID: "watcher-1", Registry: session, Pairs: pairs, Bus: bus, Slaves: 2,
		Rule: watcher.ScaleRule{Period: 2 * time.Minute, ReadsPerSlave: 20, Min: 1, Max: 5}, Logger: p.logger,
	})
	return background(t, func(ctx context.Context) error {
		return errors.Join(w.Run(ctx), pairs.Close(), session.Close(), bus.Close())
	})
}

// open opens the database of a pair, in a folder of its own.
func open(ctx context.Context, dir string, create bool) (store.Store, error) {
	return sqlite.Open(ctx, filepath.Join(dir, "rideshare.sqlite"), sqlite.Options{Create: create, Unsafe: true})
}

// background runs f until the function that it returns is called, or the test ends, and waits for
// its end.
func background(t *testing.T, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("at the end: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}
