package watcher

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"rideshare/internal/bus"
	busmemory "rideshare/internal/bus/memory"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
	registrymemory "rideshare/internal/registry/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is a pairs.Pairs without processes: a worker that runs is one that is registered.
type machine struct {
	session *registrymemory.Session
	events  chan pairs.Event

	mu      sync.Mutex
	pairs   map[string]pairs.Pair
	runs    map[string]int
	starts  []time.Time
	failing bool   // nothing can be started
	failure error  // why not; nil: the machine is full
	fault   string // of what is killed next; empty: killed
	known   string // of that at once; empty: all of it
	hanging bool   // the engine does not say what there is
	next    int
	aside   []string
}

var _ pairs.Pairs = (*machine)(nil)

func (m *machine) List(ctx context.Context) ([]pairs.Pair, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hanging {
		m.mu.Unlock()
		<-ctx.Done()
		m.mu.Lock()
		return nil, ctx.Err()
	}
	var list []pairs.Pair
	for _, p := range m.pairs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b pairs.Pair) int { return len(a.ID) - len(b.ID) + slices.Compare([]byte(a.ID), []byte(b.ID)) })
	return list, nil
}

func (m *machine) Create(ctx context.Context) (pairs.Pair, error) {
	m.mu.Lock()
	m.next++
	id := fmt.Sprint("p", m.next)
	m.mu.Unlock()
	return m.run(ctx, id)
}

func (m *machine) Start(ctx context.Context, id string) (pairs.Pair, error) { return m.run(ctx, id) }

func (m *machine) run(ctx context.Context, id string) (pairs.Pair, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starts = append(m.starts, time.Now())
	if m.failing || m.failure != nil {
		return pairs.Pair{}, cmp.Or(m.failure, errors.New("the machine is full"))
	}
	m.runs[id]++
	worker := fmt.Sprintf("%s.%d", id, m.runs[id])
	p := pairs.Pair{ID: id, Worker: pairs.Process{ID: worker, PID: 100*len(id) + len(m.starts), Running: true}, Database: pairs.Process{Running: true}}
	m.pairs[id] = p
	err := m.session.Register(ctx, registry.Member{ID: worker, Pair: id, Role: cluster.Slave, State: cluster.Serving, LogID: "log"})
	return p, err
}

func (m *machine) Kill(_ context.Context, id string, part pairs.Part) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.pairs[id]
	if !ok || !p.Worker.Running {
		return pairs.ErrNotFound
	}
	p.Worker.Running, p.Worker.PID, p.Worker.Fault = false, 0, cmp.Or(m.fault, "killed")
	m.pairs[id] = p
	m.events <- pairs.Event{Pair: id, Part: part, Worker: p.Worker.ID, Why: cmp.Or(m.known, p.Worker.Fault)}
	return nil
}

func (m *machine) Remove(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pairs, id)
	return nil
}

func (m *machine) SetAside(_ context.Context, id string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pairs, id)
	m.aside = append(m.aside, "damaged/"+id)
	return "damaged/" + id, nil
}

func (m *machine) Aside(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.aside), nil
}

func (m *machine) Events(ctx context.Context) <-chan pairs.Event {
	out := make(chan pairs.Event)
	go func() {
		defer close(out)
		for {
			select {
			case e := <-m.events:
				out <- e
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (m *machine) Close() error { return nil }

// watched is a watcher that runs in virtual time.
type watched struct {
	t        *testing.T
	machine  *machine
	server   *registrymemory.Server
	operator *registrymemory.Session
	client   *busmemory.Conn
	lines    lines
}

func watch(t *testing.T, test func(*watched)) {
	synctest.Test(t, func(t *testing.T) {
		server, broker := registrymemory.NewServer(registrymemory.Options{}), busmemory.NewBroker(busmemory.Options{})
		m := &machine{session: server.Connect(), events: make(chan pairs.Event, 16), pairs: map[string]pairs.Pair{}, runs: map[string]int{}}
		own, conn := server.Connect(), broker.Connect()
		w := &watched{t: t, machine: m, server: server, operator: server.Connect(), client: broker.Connect()}
		watcher := New(Config{ID: "w", Registry: own, Pairs: m, Bus: conn, Slaves: 2, Logger: w.lines.logger()})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- watcher.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			for _, c := range []interface{ Close() error }{m.session, own, conn, w.operator, w.client} {
				_ = c.Close()
			}
		})
		w.settle(time.Second)
		test(w)
	})
}

// settle lets the time pass, and everything that is due by then happen.
func (w *watched) settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// elect makes the worker of a pair the master.
func (w *watched) elect(worker, pair string) {
	w.t.Helper()
	_, err := w.machine.session.Elect(w.t.Context(), worker, 0, 0)
	if err == nil {
		err = w.machine.session.Register(w.t.Context(), registry.Member{ID: worker, Pair: pair, Role: cluster.Master, State: cluster.Serving, LogID: "log"})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle(time.Second)
}

func (w *watched) ask(c cluster.Command) cluster.Answer {
	w.t.Helper()
	return w.askAs(uuid.NewString(), c)
}

func (w *watched) askAs(id string, c cluster.Command) cluster.Answer {
	w.t.Helper()
	body, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	data, err := w.client.Call(ctx, bus.Control, bus.Request{ID: id, Body: body})
	if err != nil {
		w.t.Fatal(err)
	}
	var a cluster.Answer
	if err := json.Unmarshal(data, &a); err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *watched) workers() (ids []string) {
	list, _ := w.machine.List(w.t.Context())
	for _, p := range list {
		if p.Worker.Running {
			ids = append(ids, p.Worker.ID)
		}
	}
	return ids
}

func (w *watched) want(workers ...string) {
	w.t.Helper()
	if got := w.workers(); !slices.Equal(got, workers) {
		w.t.Errorf("running: %v, want %v", got, workers)
	}
}

func TestWatcherReplacesWhatDies(t *testing.T) {
	watch(t, func(w *watched) {
		w.want("p1.1", "p2.1", "p3.1")
		w.elect("p1.1", "p1")
		if err := w.machine.Kill(w.t.Context(), "p2", pairs.WorkerPart); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		w.want("p1.1", "p2.2", "p3.1")
		topology := w.ask(cluster.Command{Topology: true}).Topology
		if topology.Master != "p1.1" || len(topology.Workers) != 3 || len(topology.Recoveries) != 1 {
			t.Errorf("topology %+v", topology)
		}
	})
}

// A worker that was started by an earlier watcher, and does not reach the registry, is replaced as well.
func TestAWorkerThatWasNeverSeen(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		w.machine.mu.Lock()
		w.machine.runs["p9"] = 1
		w.machine.pairs["p9"] = pairs.Pair{ID: "p9", Worker: pairs.Process{ID: "p9.1", Running: true}, Database: pairs.Process{Running: true}}
		w.machine.mu.Unlock()
		w.settle(stuckAfter / 2)
		w.want("p1.1", "p2.1", "p3.1", "p9.1")
		w.settle(stuckAfter)
		w.machine.mu.Lock()
		defer w.machine.mu.Unlock()
		if w.machine.runs["p9"] != 2 {
			t.Errorf("the pair has had %d workers, want 2", w.machine.runs["p9"])
		}
	})
}

// The registry has elected a worker that has not reached the log: the former master goes on, and is
// named, as is the worker that was elected.
func TestTopologyNamesBothLeaders(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		if _, err := w.machine.session.Elect(w.t.Context(), "p2.1", 1, 1); err != nil {
			t.Fatal(err)
		}
		topology := w.ask(cluster.Command{Topology: true}).Topology
		if topology.Master != "p1.1" || topology.Elected != "p2.1" || topology.LogLeader.Worker != "p1.1" || topology.RegistryLeader != (cluster.Leader{Worker: "p2.1", Epoch: 2}) {
			t.Errorf("topology %+v", topology)
		}
	})
}

func TestWatcherCoolsDown(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		w.machine.mu.Lock()
		w.machine.failing, w.machine.starts = true, nil
		w.machine.mu.Unlock()
		if err := w.machine.Kill(w.t.Context(), "p2", pairs.WorkerPart); err != nil {
			t.Fatal(err)
		}
		w.settle(5 * time.Minute)
		w.machine.mu.Lock()
		n := len(w.machine.starts)
		w.machine.failing = false
		w.machine.mu.Unlock()
		// 0.5 s, doubling to 30 s: some ten for the pair, and as many for the one in its place.
		if n < 5 || n > 40 {
			t.Errorf("%d tries in 5 minutes", n)
		}
		w.settle(time.Minute)
		if got := w.workers(); len(got) != 3 {
			t.Errorf("running when it is possible again: %v", got)
		}
	})
}

func TestWatcherCommands(t *testing.T) {
	watch(t, func(w *watched) {
		if a := w.ask(cluster.Command{Crash: cluster.Master}); a.Problem != cluster.NoSuchWorker {
			t.Errorf("crash of no master: %+v", a)
		}
		w.elect("p1.1", "p1")
		if a := w.ask(cluster.Command{Crash: cluster.Slave}); len(a.Killed) != 1 || a.Problem != "" {
			t.Errorf("crash of a slave: %+v", a)
		}
		w.settle(time.Second)
		if got := w.workers(); len(got) != 3 || slices.Contains(got, "p3.1") && slices.Contains(got, "p2.1") {
			t.Errorf("running: %v", got)
		}
		for count, problem := range map[int]cluster.Problem{0: cluster.OutOfRange, 6: cluster.OutOfRange, -1: cluster.OutOfRange, 3: ""} {
			if a := w.ask(cluster.Command{Scale: &cluster.ScaleCommand{Count: count}}); a.Problem != problem {
				t.Errorf("scale to %d: %+v", count, a)
			}
		}
		w.settle(time.Second)
		if got := w.workers(); len(got) != 4 {
			t.Errorf("with 3 slaves: %v", got)
		}
		if a := w.ask(cluster.Command{Switchover: &cluster.SwitchOver{To: "nobody"}}); a.Problem != cluster.NoSuchWorker {
			t.Errorf("switchover to nobody: %+v", a)
		}
		begun := time.Now()
		if a := w.ask(cluster.Command{Switchover: &cluster.SwitchOver{To: "p2.1"}}); a.Problem == "" || time.Since(begun) > 6*time.Second {
			t.Errorf("switchover to a worker that does nothing, after %v: %+v", time.Since(begun), a)
		}
	})
}

// Every command leaves one record, also one that fails or is delivered twice.
func TestCommandsLeaveRecords(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		by := &cluster.Operator{Name: "alice@laptop", Token: "5f2c9a01", From: "10.0.0.7"}
		w.askAs("0", cluster.Command{Topology: true})
		w.askAs("1", cluster.Command{By: by, Scale: &cluster.ScaleCommand{Count: 3}})
		w.askAs("2", cluster.Command{By: by, Scale: &cluster.ScaleCommand{Count: 99}})
		killed := w.askAs("3", cluster.Command{By: by, Crash: cluster.Slave})
		w.askAs("3", cluster.Command{By: by, Crash: cluster.Slave})
		w.askAs("4", cluster.Command{By: by, Switchover: &cluster.SwitchOver{To: "nobody"}})
		w.askAs("5", cluster.Command{By: by, Done: &cluster.Done{What: "empty the database", Result: "done"}})
		var got []string
		for _, r := range w.ask(cluster.Command{History: true}).History {
			if r.Who != by.Name || r.Token != by.Token || r.From != by.From || r.At.IsZero() {
				t.Errorf("%+v", r)
			}
			got = append(got, r.What+": "+r.Result)
		}
		want := []string{
			"empty the database: done",
			"switch over to nobody: failed: there is no slave nobody that serves and can write",
			fmt.Sprintf("kill the slave: done: killed process %d", killed.Killed[0]),
			"set the number of slaves to 99: failed: the number of slaves must be from 1 to 5",
			"set the number of slaves to 3: done",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A broker delivers a command again whose answer it has lost.
func TestACommandIsCarriedOutOnce(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		first := w.askAs("one", cluster.Command{Crash: cluster.Slave})
		w.settle(time.Second)
		running := w.workers()
		if again := w.askAs("one", cluster.Command{Crash: cluster.Slave}); len(again.Killed) != 1 || again.Killed[0] != first.Killed[0] {
			t.Errorf("%+v, and again %+v", first, again)
		}
		w.settle(time.Second)
		if now := w.workers(); !slices.Equal(now, running) {
			t.Errorf("running: %v, before the repetition %v", now, running)
		}
	})
}

// Without a master, the status gives the best epoch that is known, and says where it is from.
func TestEpochWithoutAMaster(t *testing.T) {
	watch(t, func(w *watched) {
		check := func(when string, epoch uint64, from cluster.EpochFrom) {
			t.Helper()
			got := w.ask(cluster.Command{Topology: true}).Topology
			if got == nil || got.Epoch != epoch || got.EpochFrom != from {
				t.Errorf("%s: %+v, want epoch %d from %q", when, got, epoch, from)
			}
		}
		at := func(role cluster.Role, epoch uint64) {
			t.Helper()
			m := registry.Member{ID: "p1.1", Pair: "p1", Role: role, State: cluster.Serving, LogID: "log", Position: db.Position{Epoch: epoch, Seq: 9}}
			if err := w.machine.session.Register(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		check("before the first election", 0, "")
		at(cluster.Slave, 5)
		check("a replica of an earlier log", 5, cluster.FromReplicas)
		epoch, err := w.machine.session.Elect(t.Context(), "p1.1", 5, 0)
		if err != nil || epoch != 6 {
			t.Fatal(epoch, err)
		}
		check("elected, and not accepted", 5, cluster.FromReplicas)
		at(cluster.Master, 6)
		check("a master", 6, cluster.FromMaster)
		w.machine.mu.Lock()
		w.machine.failing = true
		w.machine.mu.Unlock()
		for _, pair := range []string{"p1", "p2", "p3"} {
			if err := w.machine.Kill(t.Context(), pair, pairs.WorkerPart); err != nil {
				t.Fatal(err)
			}
		}
		w.settle(time.Second)
		if got := w.ask(cluster.Command{Topology: true}).Topology; len(got.Workers) != 0 || got.Master != "" {
			t.Fatalf("%+v", got)
		}
		check("no worker runs", 6, cluster.FromRegistry)
	})
}

// A watcher that does not lead does nothing, until it does.
func TestOneWatcherLeads(t *testing.T) {
	watch(t, func(w *watched) {
		if err := w.operator.LeadWatchers(w.t.Context(), "other"); !errors.Is(err, registry.ErrTaken) {
			t.Errorf("a second watcher leads, too: %v", err)
		}
	})
}

// A command waits for a registry that is away for a moment, and says so where it stays away.
func TestCommandsWaitForTheRegistry(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		w.server.SetAvailable(false)
		time.AfterFunc(3*time.Second, func() { w.server.SetAvailable(true) })
		if a := w.ask(cluster.Command{Topology: true}); a.Topology == nil || a.Topology.Master != "p1.1" {
			t.Errorf("with a registry that was away for 3 s: %+v", a)
		}
		w.server.SetAvailable(false)
		begun := time.Now()
		if a, took := w.ask(cluster.Command{Topology: true}), time.Since(begun); a.Problem != cluster.NoRegistry || took < registryPatience || took > 6*time.Second {
			t.Errorf("without a registry, after %v: %+v", took, a)
		}
		w.server.SetAvailable(true)
	})
}

// An engine that hangs keeps nobody waiting: commands are answered, and the watcher leads on, and repairs
// when it can again.
func TestTheEngineHangs(t *testing.T) {
	watch(t, func(w *watched) {
		w.elect("p1.1", "p1")
		hang := func(on bool) {
			w.machine.mu.Lock()
			defer w.machine.mu.Unlock()
			w.machine.hanging = on
		}
		hang(true)
		for range 2 * controlPrefetch {
			if a := w.ask(cluster.Command{Topology: true}); a.Problem != cluster.Failed {
				t.Errorf("while the engine hangs: %+v", a)
			}
		}
		hang(false)
		if err := w.machine.Kill(t.Context(), "p2", pairs.WorkerPart); err != nil {
			t.Error(err)
		}
		w.settle(20 * time.Second)
		if a := w.ask(cluster.Command{Topology: true}); a.Topology == nil || len(a.Topology.Workers) != 3 {
			t.Errorf("afterwards: %+v", a)
		}
	})
}

// Where no data can be read, the watcher sets all of it aside, and ends with an error that says where it
// is and what to do.
func TestNothingCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, broker := registrymemory.NewServer(registrymemory.Options{}), busmemory.NewBroker(busmemory.Options{})
		m := &machine{session: server.Connect(), pairs: map[string]pairs.Pair{}, runs: map[string]int{}}
		for _, id := range []string{"p1", "p2"} {
			m.pairs[id] = pairs.Pair{ID: id, Unreadable: "the file is damaged"}
		}
		own, conn := server.Connect(), broker.Connect()
		w := New(Config{ID: "w", Registry: own, Pairs: m, Bus: conn, Slaves: 1, Logger: slog.New(slog.DiscardHandler), Rescue: "Call somebody."})
		err := w.Run(t.Context())
		if !errors.Is(err, ErrLost) {
			t.Errorf("Run: %v", err)
		}
		for _, want := range []string{"damaged/p1", "damaged/p2", "Call somebody."} {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("it does not say %q: %v", want, err)
			}
		}
		if len(m.starts) > 0 || len(m.pairs) > 0 {
			t.Errorf("%d starts, and the pairs %v", len(m.starts), m.pairs)
		}
		for _, c := range []interface{ Close() error }{m.session, own, conn} {
			_ = c.Close()
		}
	})
}

// What is due and cannot be done must not keep a watcher busy.
func TestWhatIsOverdueWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{Logger: slog.New(slog.DiscardHandler)})
		w.scaler.end = time.Now()
		if due := w.timer(); due != nil {
			t.Error("something is due to a watcher that does not lead")
		}
		w.leading = true
		begun := time.Now()
		<-w.timer()
		if took := time.Since(begun); took != firstRetry {
			t.Errorf("what is overdue is tried again after %v, want %v", took, firstRetry)
		}
	})
}
