package workers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	busmemory "rideshare/internal/bus/memory"
	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
	registrymemory "rideshare/internal/registry/memory"
	logmemory "rideshare/internal/replog/memory"
	"rideshare/internal/store"
	storememory "rideshare/internal/store/memory"
	"rideshare/internal/store/sqlite"
	"rideshare/watcher"
	"rideshare/workers"
)

// site is everything around workers, in a bubble of virtual time.
type site struct {
	t             *testing.T
	broker        *busmemory.Broker
	log           *logmemory.Log
	registry      *registrymemory.Server
	operator      *registrymemory.Session // a session of the test's own
	client        *busmemory.Conn
	open          opener
	logger        *slog.Logger
	alarms        alarms
	workers       map[string]*running
	donors        sync.Map // the same, by id: for workers that fetch
	registrations atomic.Int64
	registering   atomic.Int64  // how long it takes, in ns
	quiet         time.Duration // of workers that are started from now on
	mute          string        // the worker that gives no snapshots; set before workers start
	closing       time.Duration // how long it takes to end a subscription; set before workers start

	unacknowledged map[string]bool // requests whose acknowledgements are lost; set before workers start
}

// running is a worker and what it is connected to.
type running struct {
	*workers.Worker
	db      store.Store
	bus     *busmemory.Conn
	log     *logmemory.Conn
	session *registrymemory.Session
	cancel  context.CancelFunc
	done    chan error
}

// alarms is what the workers have logged as errors.
type alarms struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (a *alarms) Write(line []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text = append(a.text, line...)
	return len(line), nil
}

// String returns the lines.
func (a *alarms) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return string(a.text)
}

// opener opens the database of that name, which outlives the worker on it.
type opener func(ctx context.Context, database string) (store.Store, error)

// onFiles keeps databases in files, as a real worker does.
func onFiles(t *testing.T) opener {
	dir := t.TempDir()
	return func(ctx context.Context, database string) (store.Store, error) {
		return sqlite.Open(ctx, filepath.Join(dir, database), sqlite.Options{Create: true, Unsafe: true})
	}
}

// inMemory keeps databases in memory, for tests that take a great many of them.
func inMemory() opener {
	disks := map[string]*storememory.Disk{}
	return func(_ context.Context, database string) (store.Store, error) {
		if disks[database] == nil {
			disks[database] = storememory.New()
		}
		return disks[database].Open(), nil
	}
}

// bubble runs a test with a site in virtual time.
func bubble(t *testing.T, o logmemory.Options, test func(*site)) { bubbleOn(t, onFiles(t), o, test) }

func bubbleOn(t *testing.T, open opener, o logmemory.Options, test func(*site)) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{
			t: t, open: open,
			broker:   busmemory.NewBroker(busmemory.Options{}),
			log:      logmemory.New(o),
			registry: registrymemory.NewServer(registrymemory.Options{}),
			workers:  map[string]*running{},
		}
		handlers := []slog.Handler{slog.NewTextHandler(&s.alarms, &slog.HandlerOptions{Level: slog.LevelError})}
		if os.Getenv("RIDESHARE_TEST_LOG") != "" {
			handlers = append(handlers, slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		s.logger = slog.New(slog.NewMultiHandler(handlers...))
		s.operator, s.client = s.registry.Connect(), s.broker.Connect()
		t.Cleanup(func() {
			for id := range s.workers {
				if err := s.stop(id); err != nil {
					t.Errorf("%s ended: %v", id, err)
				}
			}
			_ = s.client.Close()
			_ = s.operator.Close()
		})
		test(s)
	})
}

// start starts a worker on the database of that name.
func (s *site) start(id, database string) *running {
	s.t.Helper()
	db, err := s.open(s.t.Context(), database)
	if err != nil {
		s.t.Fatal(err)
	}
	r := &running{db: db, bus: s.broker.Connect(), log: s.log.Connect(), session: s.registry.Connect(), done: make(chan error, 1)}
	r.Worker = workers.New(workers.Config{
		ID: id, Pair: database, PID: 1, Addr: id, Store: db, Log: r.log, Bus: unacknowledging{r.bus, s}, Registry: counted{r.session, s},
		Fetch: s.fetch, Logger: s.logger, Quiet: s.quiet,
	})
	ctx, cancel := context.WithCancel(s.t.Context())
	r.cancel = cancel
	s.workers[id] = r
	s.donors.Store(id, r)
	go func() { r.done <- r.Run(ctx) }()
	return r
}

// counted counts how often workers register, which may take a while.
type counted struct {
	registry.Registry
	site *site
}

// Register implements registry.Registry.
func (c counted) Register(ctx context.Context, m registry.Member) error {
	c.site.registrations.Add(1)
	time.Sleep(time.Duration(c.site.registering.Load()))
	return c.Registry.Register(ctx, m)
}

// electing is how long an election takes, as in ZooKeeper (docs/measurements.md): without it, workers that
// depose each other for ever would do so at one moment of virtual time, and no wait would end.
const electing = 2 * time.Millisecond

// Elect implements registry.Registry.
func (c counted) Elect(ctx context.Context, worker string, above, from uint64) (uint64, error) {
	time.Sleep(electing)
	return c.Registry.Elect(ctx, worker, above, from)
}

func (s *site) fetch(ctx context.Context, donor registry.Member) (io.ReadCloser, error) {
	w, ok := s.donors.Load(donor.Addr)
	if !ok || donor.ID == s.mute {
		return nil, fmt.Errorf("%s is gone", donor.Addr)
	}
	r, out := io.Pipe()
	go func() { out.CloseWithError(w.(*running).Export(ctx, out)) }()
	return r, nil
}

// stop ends a worker in good order and returns what Run returned.
func (s *site) stop(id string) error {
	r := s.workers[id]
	delete(s.workers, id)
	s.donors.Delete(id)
	r.cancel()
	err := <-r.done
	_ = r.session.Close()
	_ = r.bus.Close()
	_ = r.log.Close()
	_ = r.db.Close()
	return err
}

// kill ends a worker as SIGKILL does, and lets the watcher's fast path evict it.
func (s *site) kill(id string) {
	s.t.Helper()
	r := s.workers[id]
	r.bus.Kill()
	_ = r.log.Close()
	r.session.Kill()
	_ = s.stop(id)
	if err := s.operator.Evict(s.t.Context(), id); err != nil {
		s.t.Fatal(err)
	}
}

// until waits, in virtual time, until the condition holds.
func (s *site) until(what string, condition func() bool) {
	s.t.Helper()
	begun := time.Now()
	// What does not come soon is looked for less often: each look costs real time.
	for time.Since(begun) < time.Minute {
		synctest.Wait()
		if condition() {
			return
		}
		time.Sleep(max(time.Millisecond, time.Since(begun)/20))
	}
	members, _ := s.operator.Members(s.t.Context())
	s.t.Fatalf("not within a minute: %s; members %+v", what, members)
}

func (s *site) member(id string) registry.Member {
	members, err := s.operator.Members(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range members {
		if m.ID == id {
			return m
		}
	}
	return registry.Member{}
}

// leads reports whether the worker says that it is master.
func (s *site) leads(id string) bool { return s.member(id).Role == cluster.Master }

// master waits until a worker leads, and returns its id.
func (s *site) master() (id string) {
	s.t.Helper()
	s.until("a master", func() bool {
		for id = range s.workers {
			if s.leads(id) {
				return true
			}
		}
		return false
	})
	return id
}

// found starts the workers, lets the first one seed the log, and waits until one is master.
func (s *site) found(ids ...string) (master string) {
	s.t.Helper()
	for _, id := range ids {
		s.start(id, id)
	}
	s.seed(ids[0])
	s.until("a master, and all are serving", func() bool {
		serving := 0
		for _, id := range ids {
			if s.leads(id) {
				master = id
			}
			if s.member(id).State == cluster.Serving {
				serving++
			}
		}
		return master != "" && serving == len(ids)
	})
	return master
}

func (s *site) seed(id string) {
	s.t.Helper()
	s.until(id+" finds no log", func() bool { return s.member(id).State == cluster.Unseeded })
	at := s.member(id).Position
	s.configure(func(c *registry.Config) { c.Seed = registry.Seed{Worker: id, At: at} })
}

// admit lets a worker serve that is at the end of the log, as the watcher does where nobody serves.
func (s *site) admit(id string) {
	s.t.Helper()
	s.until(id+" is at the end of the log", func() bool { return s.member(id).State == cluster.Following && s.member(id).AtEnd })
	at := s.member(id).Position
	s.configure(func(c *registry.Config) { c.Seed = registry.Seed{Worker: id, At: at} })
}

// watch does until the test ends what the watcher's plan says about who may begin.
func (s *site) watch(running func() []pairs.Pair) {
	ctx, end := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	s.t.Cleanup(func() {
		end()
		<-done
	})
	changes := s.operator.Watch(ctx)
	go func() {
		defer close(done)
		for {
			s.plan(ctx, running)
			select {
			case <-changes:
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
				return
			}
		}
	}()
}

// plan looks once.
func (s *site) plan(ctx context.Context, running func() []pairs.Pair) {
	config, _, err := s.operator.Config(ctx)
	if err != nil {
		return
	}
	members, err := s.operator.Members(ctx)
	if err != nil {
		return
	}
	all := running() // after Members, as the watcher does
	o := watcher.Observation{Now: time.Now(), Slaves: len(all) - 1, Members: members, Seed: config.Seed, Pairs: all}
	o.Master, _ = s.operator.Master(ctx) // zero where there is none
	for _, a := range watcher.Plan(o) {
		if a.Verb == watcher.Seed {
			s.configure(func(c *registry.Config) { c.Seed = registry.Seed{Worker: a.Worker, At: a.At} })
		}
	}
}

// registered returns the pairs of all members: all of them run.
func (s *site) registered() (all []pairs.Pair) {
	members, _ := s.operator.Members(s.t.Context())
	for _, m := range members {
		all = append(all, pairs.Pair{ID: m.Pair, Worker: pairs.Process{ID: m.ID, Running: true}, Database: pairs.Process{Running: true}})
	}
	return all
}

func (s *site) configure(change func(*registry.Config)) {
	s.t.Helper()
	for {
		c, version, err := s.operator.Config(s.t.Context())
		if err == nil {
			change(&c)
			err = s.operator.SetConfig(s.t.Context(), c, version)
		}
		switch {
		case err == nil:
			return
		case !errors.Is(err, registry.ErrConflict):
			s.t.Fatal(err)
		}
	}
}
