package workers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
	logmemory "rideshare/internal/replog/memory"
)

var (
	schedules = flag.Int("schedules", 24, "how many random schedules TestSimulation plays")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first schedule")
)

// TestSimulation plays random schedules of everything that may go wrong at once: workers killed
// and started again, registry sessions cut, connections to the log cut, planned changes of master, disks
// that are full, a loss of power that shortens the log and may end everything, and a log that loses, doubles, delays and
// half-confirms appends. Who may begin then is decided by the watcher's plan. Meanwhile clients write, and retry as documented. In
// the end every acknowledged write is there once, on every replica, under the reply it was
// acknowledged with.
func TestSimulation(t *testing.T) {
	// Every schedule leaves little behind: collecting it often is a quarter of the time.
	usual := debug.SetGCPercent(1600)
	t.Cleanup(func() { debug.SetGCPercent(usual) })
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules); seed++ {
		all := t
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			if all.Failed() { // one is enough to look into
				t.SkipNow()
			}
			simulate(t, seed)
		})
	}
}

// dice is a random source for goroutines. Their order is not part of the seed: the same seed gives
// the same faults, at times that may differ a little.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// Most schedules are short, since most faults of a protocol show with two or three events in an
// unlucky order, and many such orders are played in the time of one long schedule. One in 250 is
// long: it has masters of many epochs behind it.
const longEvery = 250

func simulate(t *testing.T, seed uint64) {
	d := &dice{r: rand.New(rand.NewPCG(seed, 0))}
	clientele, events := 2+d.roll(2), 1+d.roll(5)
	if seed%longEvery == 0 {
		clientele, events = 6, 25
	}
	calm := make(chan struct{}) // closed when the faults are over
	fate := func([]byte) logmemory.Fate {
		select {
		case <-calm:
			return logmemory.Kept
		default:
		}
		if n := d.roll(40); n < 8 {
			return []logmemory.Fate{logmemory.Failed, logmemory.Unknown, logmemory.Late, logmemory.Late,
				logmemory.Twice, logmemory.Confirmed, logmemory.Failed, logmemory.Unknown}[n]
		}
		return logmemory.Kept
	}
	disks := newDisks()
	bubbleOn(t, disks.on(inMemory()), logmemory.Options{Fate: fate}, func(s *site) {
		s.quiet = time.Duration(seed%2) * quiet // half of the schedules have workers that doubt the log
		f := &faults{site: s, dice: d, disks: disks, generation: 1, databases: map[string]string{}}
		for _, database := range databases {
			f.start(database)
		}
		s.watch(f.pairs)
		s.mustWrite("founder", addUser("founder"))

		var clients sync.WaitGroup
		all := make([]*client, clientele)
		stop := make(chan struct{})
		for i := range all {
			all[i] = &client{name: fmt.Sprint("client", i), acked: map[string]db.Reply{}}
			clients.Go(func() { all[i].writeUntil(s, d, stop) })
		}
		for range events {
			time.Sleep(time.Duration(d.roll(300)) * time.Millisecond)
			f.inject()
		}
		close(calm)
		f.heal()
		s.log.Deliver()
		answeredBefore := map[*client]int{}
		for _, c := range all {
			answeredBefore[c] = c.answered()
		}
		s.until("every client is answered, and answered again", func() bool {
			return !slices.ContainsFunc(all, func(c *client) bool { return c.answered() < answeredBefore[c]+2 })
		})
		close(stop)
		clients.Wait()
		f.heal()
		s.until("all serve", func() bool {
			for id := range s.workers {
				if s.member(id).State != cluster.Serving {
					return false
				}
			}
			return true
		})
		check(t, s, all, f.powerless)
	})
}

// client is one who writes.
type client struct {
	name  string
	mu    sync.Mutex
	acked map[string]db.Reply // by the id of the request
}

func (c *client) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// writeUntil writes rides one after the other, each under an id of its own, and each again until
// it has a reply. Every fifth is of a user who does not exist, and has to be refused.
func (c *client) writeUntil(s *site, d *dice, stop <-chan struct{}) {
	for n := 0; ; n++ {
		id, user := fmt.Sprint(c.name, " ", n), "founder"
		if n%5 == 4 {
			user = "nobody"
		}
		body, err := json.Marshal(db.Write{Ops: []db.Op{addRide(user)}})
		if err != nil {
			s.t.Error(err)
		}
		for done := false; !done; {
			select {
			case <-stop:
				return
			case <-s.t.Context().Done(): // the test has failed: no call waits any more
				return
			default:
			}
			patience := time.Duration(50+d.roll(1950)) * time.Millisecond
			ctx, cancel := context.WithTimeout(s.t.Context(), patience)
			data, err := s.client.Call(ctx, bus.Writes, bus.Request{ID: id, Digest: digestOf(id), Body: body})
			cancel()
			if err != nil {
				continue
			}
			reply, _ := db.DecodeReply(data)
			if reply.Digest != digestOf(id) {
				s.t.Errorf("the reply to %s has the digest %q", id, reply.Digest)
				return
			}
			if refused := reply.Error != nil && reply.Error.Kind == db.ForeignKey; refused != (user == "nobody") {
				s.t.Errorf("the reply to %s of %s: %+v, %v", id, user, reply.Write, reply.Error)
				return
			}
			c.mu.Lock()
			c.acked[id], done = reply, true
			c.mu.Unlock()
		}
		time.Sleep(time.Duration(d.roll(100)) * time.Millisecond)
	}
}

// digestOf is the digest of the request with that id.
func digestOf(id string) string { return "digest of " + id }

// check compares what was acknowledged with what is there.
func check(t *testing.T, s *site, clients []*client, rebuilt bool) {
	t.Helper()
	s.sameEverywhere()
	// Nothing but a loss of power has damaged a database or lost the log: that a worker thinks so is a fault of its
	// own, which a rebuilt replica would hide.
	if alarms := s.alarms.String(); alarms != "" && !rebuilt {
		t.Errorf("the workers have raised alarms:\n%s", alarms)
	}
	rides := map[int64]bool{}
	for id := range s.workers {
		result, err := s.workers[id].db.Read(s.t.Context(), db.Read{Queries: []db.Query{{Table: "rides", Columns: []string{"ride_id"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range result.Results[0].Rows {
			rides[row.Int("ride_id")] = true
		}
	}
	seen, total := map[int64]string{}, 0
	again := map[string]<-chan db.Reply{}
	for _, c := range clients {
		for id, reply := range c.acked {
			total++
			again[id] = s.send(id, addRide("founder"))
			if reply.Error != nil {
				continue
			}
			ride := db.Row(reply.Write.Results[0].Values).Int("ride_id")
			if other, twice := seen[ride]; twice {
				t.Errorf("%q and %q were both told that they are ride %d", id, other, ride)
			}
			seen[ride] = id
			if !rides[ride] {
				t.Errorf("%q was acknowledged as ride %d, which is lost", id, ride)
			}
		}
	}
	for _, c := range clients {
		for id, reply := range c.acked {
			now := <-again[id]
			if !bytes.Equal(reply.Encode(), now.Encode()) {
				t.Errorf("%q gets another reply now (-first +now):\n%s", id, cmp.Diff(reply, now))
			}
		}
	}
	// A write of which the client stopped waiting may have been done. One per client.
	if extra := len(rides) - len(seen); extra < 0 || extra > len(clients) {
		t.Errorf("%d rides for %d acknowledged writes", len(rides), len(seen))
	}
	// What was refused, or rolled back with a deposed master, has taken no number with it.
	for ride := range rides {
		if ride > int64(len(rides)) {
			t.Errorf("ride %d is one of %d", ride, len(rides))
		}
	}
	t.Logf("%d writes, %d rides", total, len(rides))
}

var databases = []string{"a", "b", "c"}

// faults injects faults.
type faults struct {
	*site
	dice       *dice
	disks      *disks
	generation int
	powerless  bool // the power was lost

	mu        sync.Mutex
	databases map[string]string // database -> its worker, "" while it has none
}

func (f *faults) start(database string) {
	id := fmt.Sprintf("%s.%d", database, f.generation)
	f.generation++
	f.site.start(id, database)
	f.note(database, id)
}

func (f *faults) note(database, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.databases[database] = id
}

func (f *faults) inject() {
	database := databases[f.dice.roll(3)]
	id := f.databases[database]
	switch kind := f.dice.roll(14); {
	case kind >= 12:
		f.losePower()
	case kind == 11:
		f.brokerLosesPower()
	case id == "":
		f.start(database)
	case kind <= 2:
		f.kill(id)
		f.note(database, "")
	case kind == 3: // killed, and nobody notices but by its session
		f.abandon(database)
	case kind == 4:
		f.workers[id].session.Cut()
	case kind == 5:
		f.workers[id].session.Heal()
	case kind == 6:
		f.log.Deliver()
	case kind <= 8:
		f.disks.fill([]moment{never, onExecute, onCommit, afterCommit}[f.dice.roll(4)], database)
	case kind == 9:
		f.workers[id].log.Cut(f.dice.roll(3) > 0)
	default:
		if m, err := f.operator.Master(f.t.Context()); err == nil {
			f.configure(func(c *registry.Config) { c.Switch = registry.Switch{To: id, From: m.Epoch} })
		}
	}
}

// abandon kills a worker, and evicts it nobody.
func (f *faults) abandon(database string) {
	r := f.workers[f.databases[database]]
	r.bus.Kill()
	_ = r.log.Close()
	r.session.Kill()
	_ = f.stop(f.databases[database])
	f.note(database, "")
}

// losePower ends everything at once, and the log loses what was not on the broker's disk. One database is ahead of the
// others, and started later than they are.
func (f *faults) losePower() {
	f.powerless = true
	ahead := f.dice.roll(len(databases))
	for i, database := range databases {
		if id := f.databases[database]; id != "" && i != ahead {
			f.workers[id].log.Cut(true)
		}
	}
	time.Sleep(time.Duration(f.dice.roll(200)) * time.Millisecond)
	for _, database := range databases {
		if f.databases[database] != "" {
			f.abandon(database)
		}
	}
	f.log.Shorten(f.dice.roll(20))
	for i, database := range databases {
		if i != ahead {
			f.start(database)
		}
	}
}

// brokerLosesPower shortens the log while all replicas live and are registered, and waits until they have gone on: what
// only one of them has is lost with it.
func (f *faults) brokerLosesPower() {
	f.heal()
	serving := func() bool {
		return !slices.ContainsFunc(databases, func(database string) bool {
			return f.member(f.databases[database]).State != cluster.Serving
		})
	}
	f.until("all serve", serving)
	time.Sleep(time.Duration(f.dice.roll(100)) * time.Millisecond)
	f.powerless = true
	f.log.Shorten(1 + f.dice.roll(10))
	time.Sleep(5 * time.Second) // until a lost end has been noticed
	f.until("all serve again", serving)
}

// pairs returns the pairs as the watcher sees them.
func (f *faults) pairs() (all []pairs.Pair) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, database := range databases {
		id := f.databases[database]
		all = append(all, pairs.Pair{ID: database, Worker: pairs.Process{ID: id, Running: id != ""}, Database: pairs.Process{Running: true}})
	}
	return all
}

// heal starts what was killed, and undoes every cut.
func (f *faults) heal() {
	for _, database := range databases {
		id := f.databases[database]
		f.disks.fill(never, database)
		if id == "" {
			f.start(database)
		} else {
			f.workers[id].session.Heal()
			f.workers[id].log.Cut(false)
		}
	}
}
