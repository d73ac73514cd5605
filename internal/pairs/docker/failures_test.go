package docker

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"rideshare/internal/dockertest/freeze"
	"rideshare/internal/pairs"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

func (w *world) receive(events <-chan pairs.Event) pairs.Event {
	w.t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(patience):
		w.t.Fatal("no event")
		return pairs.Event{}
	}
}

// TestMissing: what is missing is named, and nothing is left of the attempt.
func TestMissing(t *testing.T) {
	buildIdle(t)
	for name, test := range map[string]struct {
		change func(*Config)
		want   error
		names  string
	}{
		"worker image":   {func(c *Config) { c.WorkerImage = "no.such/worker:1" }, ErrNoImage, "no.such/worker:1"},
		"database image": {func(c *Config) { c.DatabaseImage = "no.such/database:1" }, ErrNoImage, "no.such/database:1"},
		"network":        {func(c *Config) { c.Networks = []string{"no-such-network"} }, ErrNoNetwork, "no-such-network"},
		"engine":         {func(c *Config) { c.Host = "unix:///no/such.sock" }, ErrEngine, "/no/such.sock"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			good := w.config
			test.change(&w.config)
			_, err := w.open().Create(t.Context())
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.names) {
				t.Errorf("%v, want %v", err, test.want)
			}
			w.config = good
			p := w.open()
			all, _, err := p.everything(t.Context())
			w.ok(err)
			volumes, err := p.volumes(t.Context(), "")
			w.ok(err)
			networks, err := p.networks(t.Context(), "")
			w.ok(err)
			if len(all) != 0 || len(volumes) != 0 || len(networks) != 0 {
				t.Errorf("%d pairs, %d volumes and %d networks are left", len(all), len(volumes), len(networks))
			}
		})
	}
}

// TestHalfDone: an earlier watcher was killed in the middle of a Create, after each of its steps.
func TestHalfDone(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	earlier := w.open()
	_, err := earlier.newDatabase(t.Context(), "p1") // killed before it had a password
	w.ok(err)
	database, err := earlier.newDatabase(t.Context(), "p2")
	w.ok(err)
	w.ok(earlier.put(t.Context(), database, dataFolder, databaseUser, 0o400, map[string]string{passwordFile: "secret", runsFile: "1"}))
	w.ok(earlier.start(t.Context(), database, "p2"))

	p := w.open()
	list, err := p.List(t.Context())
	w.ok(err)
	if len(list) != 2 || list[0].Database.Running || !list[1].Database.Running || list[1].Worker.Running {
		t.Fatalf("listed: %+v", list)
	}
	for i, want := range []string{"p1.1", "p2.2"} {
		got, err := p.Start(t.Context(), list[i].ID)
		w.ok(err)
		if !got.Worker.Running || !got.Database.Running || got.Worker.ID != want {
			t.Errorf("started: %+v, want %s", got, want)
		}
	}
	if pair := w.create(p); pair.ID != "p3" {
		t.Errorf("the next pair is %s", pair.ID)
	}
}

// TestOnlyData: the containers are gone, as after "make down"; the volume is not.
func TestOnlyData(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	p := w.open()
	pair := w.create(p)
	f, err := p.look(t.Context(), pair.ID)
	w.ok(err)
	password, err := p.get(t.Context(), f.database.ID, dataFolder, passwordFile)
	w.ok(err)
	w.ok(p.remove(t.Context(), f.database.ID))
	w.ok(p.remove(t.Context(), f.last().ID))

	p = w.open()
	list, err := p.List(t.Context())
	w.ok(err)
	if len(list) != 1 || list[0].Worker.Running || list[0].Database.Running {
		t.Fatalf("listed: %+v", list)
	}
	again, err := p.Start(t.Context(), pair.ID)
	w.ok(err)
	if again.Worker.ID != "p1.2" {
		t.Errorf("the worker is %s, which was used before", again.Worker.ID)
	}
	f, err = p.look(t.Context(), pair.ID)
	w.ok(err)
	after, err := p.get(t.Context(), f.database.ID, dataFolder, passwordFile)
	w.ok(err)
	if after != password || password == "" {
		t.Error("the database got another password")
	}
}

// TestNumbersStay: a watcher that has restarted does not give the number of a removed pair again.
func TestNumbersStay(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	for want := range 3 {
		p := w.open()
		pair := w.create(p)
		if number(pair.ID) != want+1 {
			t.Fatalf("pair %d is %s", want+1, pair.ID)
		}
		w.ok(p.Remove(t.Context(), pair.ID))
	}
	volumes, err := w.open().volumes(t.Context(), "")
	w.ok(err)
	networks, err := w.open().networks(t.Context(), "")
	w.ok(err)
	if len(volumes) != 1 || len(networks) != 0 {
		t.Errorf("%d volumes and %d networks are left of removed pairs, want 1 and 0", len(volumes), len(networks))
	}
}

// TestAStrangeNetwork: the database of a pair runs on another network, as one of an older version does. The next
// worker finds it on the network of the pair, and nobody else does.
func TestAStrangeNetwork(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	p := w.open()
	pair := w.create(p)
	f, err := p.look(t.Context(), pair.ID)
	w.ok(err)
	own := w.config.networkName(pair.ID)
	w.ok(w.NetworkConnect(t.Context(), w.config.Networks[0], f.database.ID, nil))
	w.ok(w.NetworkDisconnect(t.Context(), own, f.database.ID, false))
	w.ok(p.Kill(t.Context(), pair.ID, pairs.WorkerPart))
	_, err = p.Start(t.Context(), pair.ID)
	w.ok(err)
	joined := slices.Sorted(maps.Keys(w.inspect(f.database.ID).NetworkSettings.Networks))
	if !slices.Equal(joined, []string{own}) {
		t.Errorf("the database is on the networks %v, want %s", joined, own)
	}
}

// TestTwoWatchers: both create at the same time.
func TestTwoWatchers(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	var created sync.WaitGroup
	ids := make([]string, 4)
	for i := range ids {
		p := w.open()
		created.Go(func() {
			pair, err := p.Create(t.Context())
			if err != nil {
				t.Error(err)
			}
			ids[i] = pair.ID
		})
	}
	created.Wait()
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Errorf("created: %v", ids)
	}
	list, err := w.open().List(t.Context())
	w.ok(err)
	for _, pair := range list {
		if !pair.Worker.Running || !pair.Database.Running {
			t.Errorf("%+v", pair)
		}
	}
}

// TestOnPurpose: what is removed or replaced on purpose is no event; a paused worker can be killed.
func TestOnPurpose(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	p := w.open()
	events := p.Events(t.Context())
	removed, kept := w.create(p), w.create(p)
	w.ok(p.Remove(t.Context(), removed.ID))
	w.ok(freeze.Persist(func() error { return w.ContainerPause(t.Context(), p.config.workerName(kept.ID, 1)) }))
	w.ok(p.Kill(t.Context(), kept.ID, pairs.WorkerPart))
	if e := w.receive(events); e != (pairs.Event{Pair: kept.ID, Part: pairs.WorkerPart, Worker: kept.Worker.ID, Why: "killed"}) {
		t.Errorf("the first event is %+v", e)
	}
	w.ok(p.Kill(t.Context(), kept.ID, pairs.DatabasePart))
	if e := w.receive(events); e != (pairs.Event{Pair: kept.ID, Part: pairs.DatabasePart, Worker: kept.Worker.ID, Why: "killed"}) {
		t.Errorf("the second event is %+v", e)
	}
}

// TestEventsReconnect: a death while the connection to the engine is cut is told afterwards.
func TestEventsReconnect(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	direct := w.open()
	pair := w.create(direct)
	cut := newProxy(t, strings.TrimPrefix(w.host, "unix://"))
	w.config.Host = "tcp://" + cut.listener.Addr().String()
	events := w.open().Events(t.Context())
	cut.awaitConnection()
	cut.stop()
	w.ok(direct.Kill(t.Context(), pair.ID, pairs.WorkerPart))
	cut.restart()
	if e := w.receive(events); e.Pair != pair.ID || e.Part != pairs.WorkerPart {
		t.Errorf("%+v", e)
	}
	w.ok(direct.Kill(t.Context(), pair.ID, pairs.DatabasePart))
	if e := w.receive(events); e.Part != pairs.DatabasePart {
		t.Errorf("the death before was told twice: %+v", e)
	}
}

// proxy passes connections on to the engine's socket.
type proxy struct {
	t        *testing.T
	socket   string
	listener net.Listener
	accepted chan struct{}
	running  sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	conns   []net.Conn
}

func newProxy(t *testing.T, socket string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, socket: socket, listener: l, accepted: make(chan struct{}, 100)}
	p.running.Go(p.serve)
	t.Cleanup(func() {
		_ = l.Close()
		p.stop()
		p.running.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("unix", p.socket)
		if err != nil {
			p.t.Error(err)
			return
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		if p.stopped {
			_, _ = in.Close(), out.Close()
		}
		p.mu.Unlock()
		p.running.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
		p.running.Go(func() {
			n, _ := io.CopyN(in, out, 1)
			if n > 0 {
				p.accepted <- struct{}{}
			}
			_, _ = io.Copy(in, out)
			_ = in.Close()
		})
	}
}

// awaitConnection waits until the engine has answered on a connection.
func (p *proxy) awaitConnection() { <-p.accepted }

func (p *proxy) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = false
}

// TestOutdated: a worker is outdated when its image's name means another image, and when the next
// one runs that it is not.
func TestOutdated(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	w.config.WorkerImage = w.config.Project + ":latest"
	w.ok(w.ImageTag(t.Context(), idleImage, w.config.WorkerImage))
	t.Cleanup(func() { w.removeImage(w.config.WorkerImage) })
	p := w.open()
	pair := w.create(p)
	outdated := func() bool {
		t.Helper()
		list, err := p.List(t.Context())
		w.ok(err)
		if len(list) != 1 {
			t.Fatalf("%d pairs", len(list))
		}
		return list[0].Worker.Outdated
	}
	if outdated() {
		t.Error("outdated from the beginning")
	}
	_, err := w.ContainerCommit(t.Context(), w.config.workerName(pair.ID, 1), container.CommitOptions{Reference: w.config.WorkerImage})
	w.ok(err)
	if !outdated() {
		t.Error("not outdated, with a new image")
	}
	w.ok(p.Kill(t.Context(), pair.ID, pairs.WorkerPart))
	_, err = p.Start(t.Context(), pair.ID)
	w.ok(err)
	if outdated() {
		t.Error("outdated, with a worker of the new image")
	}
	w.removeImage(w.config.WorkerImage)
	if outdated() {
		t.Error("outdated, where there is no other image")
	}
}

// removeImage removes a name of an image.
func (w *world) removeImage(name string) {
	_, err := w.ImageRemove(context.Background(), name, image.RemoveOptions{Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		w.t.Errorf("removing %s: %v", name, err)
	}
}
