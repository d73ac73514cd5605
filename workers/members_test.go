package workers_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	logmemory "rideshare/internal/replog/memory"
)

func TestFailover(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		s.mustWrite("1", addUser("alice"))
		epoch := s.member(master).Position.Epoch
		s.kill(master)
		start := time.Now()
		at := s.mustWrite("2", addUser("bob")).Position
		if at.Epoch <= epoch {
			t.Errorf("written in epoch %d, after %d", at.Epoch, epoch)
		}
		// Two candidates at most: one of them has no rank to wait for.
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("the write waited %v", took)
		}
		s.start("w4", master) // the successor on the same database
		s.until("it serves", func() bool { return s.member("w4").State == cluster.Serving })
		s.sameEverywhere()
	})
}

// Nobody evicts the dead master: its session has to time out.
func TestFailoverByTheSessionAlone(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		r := s.workers[master]
		r.bus.Kill()
		_ = r.log.Close()
		r.session.Kill()
		start := time.Now()
		s.mustWrite("1", addUser("alice"))
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Errorf("the write waited %v, with a session of 1 s", took)
		}
		_ = s.stop(master)
	})
}

func TestSwitchover(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		for i := range 9 {
			var to string
			for id := range s.workers {
				if id != master {
					to = id
				}
			}
			s.configureSwitch(to, s.member(master).Position.Epoch)
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
			s.until(to+" is master, and no other", func() bool { return s.leads(to) && !s.leads(master) })
			master = to
		}
		s.sameEverywhere()
	})
}

// The registry advises; the log decides. Without a registry everything goes on.
func TestTheRegistryIsAway(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		epoch := s.member(master).Position.Epoch
		s.registry.SetAvailable(false)
		for i := range 60 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
			if reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong}); reply.Read == nil {
				t.Fatalf("a read after %d s: %+v", i, reply)
			}
			time.Sleep(time.Second)
		}
		s.registry.SetAvailable(true)
		s.until("they are back", func() bool { return s.leads(master) })
		if now := s.member(master).Position.Epoch; now != epoch {
			t.Errorf("epoch %d became %d, without need", epoch, now)
		}
	})
}

// A master whose session has ended keeps its office, as long as nobody else was elected.
func TestAMasterReclaimsItsOffice(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		epoch := s.member("w1").Position.Epoch
		s.workers["w1"].session.Cut()
		time.Sleep(5 * time.Second)
		s.mustWrite("1", addUser("alice"))
		s.workers["w1"].session.Heal()
		s.until("it is registered again", func() bool { return s.leads("w1") })
		s.until("it is the registry's master", func() bool {
			m, err := s.operator.Master(s.t.Context())
			return err == nil && m == registry.Master{Worker: "w1", Epoch: epoch}
		})
	})
}

func TestANewWorkerJoinsFromAnother(t *testing.T) {
	bubble(t, logmemory.Options{MaxBytes: 8 << 10}, func(s *site) {
		s.found("w1", "w2")
		for i := range 200 { // far more than the log keeps
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		s.start("w3", "w3")
		s.until("it serves", func() bool { return s.member("w3").State == cluster.Serving })
		s.mustWrite("last", addUser("last"))
		s.sameEverywhere()
	})
}

// A replica that was away for longer than the log reaches back is rebuilt.
func TestAReplicaBehindTheLogIsRebuilt(t *testing.T) {
	bubble(t, logmemory.Options{MaxBytes: 8 << 10}, func(s *site) {
		s.found("w1", "w2", "w3")
		s.mustWrite("first", addUser("first"))
		s.sameEverywhere()
		victim := "w3"
		if s.leads(victim) {
			victim = "w2"
		}
		s.kill(victim)
		for i := range 200 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		s.start("back", victim)
		s.until("it serves", func() bool { return s.member("back").State == cluster.Serving })
		s.sameEverywhere()
	})
}

func TestTheLogIsLost(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		for i := range 10 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		s.log.Wipe()
		s.until("all say so", func() bool {
			for id := range s.workers {
				if s.member(id).State != cluster.Unseeded {
					return false
				}
			}
			return true
		})
		pending := s.send("meanwhile", addUser("meanwhile"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		s.seed(master) // the most advanced, as it had acknowledged all
		if reply := <-pending; reply.Write == nil {
			t.Fatalf("the write that waited: %+v", reply)
		}
		reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong})
		if reply.Read == nil || *reply.Read.Results[0].Count != 11 {
			t.Errorf("afterwards: %+v", reply)
		}
		s.sameEverywhere()
	})
}

// All processes die at once, and the log with them; the databases are left.
func TestEverythingStartsAgain(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2")
		for i := range 10 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		first := s.write("ride", addRide("user3"))
		s.sameEverywhere()
		s.kill("w1")
		s.kill("w2")
		s.log.Wipe()
		s.start("w3", "w1")
		s.start("w4", "w2")
		s.seed("w4")
		if diff := cmp.Diff(first, s.write("ride", addRide("user3"))); diff != "" {
			t.Errorf("the reply to the same id (-before +after):\n%s", diff)
		}
		s.mustWrite("new", addUser("new"))
		s.sameEverywhere()
		if users := s.users("w3"); len(users) != 11 {
			t.Errorf("users %v", users)
		}
	})
}

// A chain that is broken is noticed, and the replica rebuilt.
func TestACorruptReplicaIsRebuilt(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2")
		s.mustWrite("1", addUser("alice"))
		s.sameEverywhere()
		slave := "w1"
		if s.leads(slave) {
			slave = "w2"
		}
		// Behind the back of the log the slave gets a row that the next entry brings, too.
		tx, err := s.workers[slave].db.Begin(s.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Execute(s.t.Context(), []db.Op{addUser("bob")}); err != nil {
			t.Fatal(err)
		}
		state, err := s.workers[slave].db.State(s.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(s.t.Context(), bookkeepingOf(state)); err != nil {
			t.Fatal(err)
		}
		s.mustWrite("2", addUser("bob"))
		s.mustWrite("3", addUser("carol"))
		s.sameEverywhere()
	})
}

// A master that finds itself damaged gives up its office, so that another one is elected.
func TestACorruptMasterResigns(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		s.mustWrite("1", addUser("alice"))
		s.sameEverywhere()
		// In the master's name somebody else writes an entry.
		state, err := s.workers[master].db.State(s.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		entry := state.NewEntry()
		entry.At = time.Now().UTC()
		if err := s.log.Connect().Append(s.t.Context(), entry.Encode()); err != nil {
			t.Fatal(err)
		}
		s.mustWrite("2", addUser("bob"))
		s.sameEverywhere()
	})
}

// The master appends empty entries when nothing but barriers is appended: the last entry, at which
// replicas attach, must not fall to the log's retention.
func TestTheLastEntryStaysInTheLog(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		s.mustWrite("1", addUser("alice"))
		before, _ := s.workers["w1"].db.State(s.t.Context())
		for range 10_010 {
			record := replog.Record{Kind: replog.BarrierKind, Nonce: "elsewhere"}
			if err := s.workers["w1"].log.Append(s.t.Context(), record.Encode()); err != nil {
				t.Fatal(err)
			}
		}
		s.until("there is another entry", func() bool {
			after, _ := s.workers["w1"].db.State(s.t.Context())
			return after.Seq > before.Seq
		})
	})
}

// Two workers believe that they were elected for the same epoch (the registry lost its data): the
// log takes the first marker, and the other worker gives up.
func TestTwoMarkersOfOneEpoch(t *testing.T) {
	var rival atomic.Pointer[logmemory.Conn]
	fate := func(data []byte) logmemory.Fate {
		if r, err := replog.Decode(data); err == nil && r.Kind == replog.MarkerKind {
			if log := rival.Swap(nil); log != nil {
				r.Worker, r.Nonce = "rival", "rival"
				if err := log.Append(context.Background(), r.Encode()); err != nil {
					t.Error(err)
				}
			}
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		master := s.found("w1", "w2")
		epoch := s.member(master).Position.Epoch
		rival.Store(s.log.Connect())
		s.kill(master)
		// The rival was first with the next epoch, and does nothing; the survivor has to get one
		// after that.
		if at := s.mustWrite("1", addUser("alice")).Position; at.Epoch < epoch+2 {
			t.Errorf("written in epoch %d, which is the rival's", at.Epoch)
		}
	})
}

// Each registration wakes all others, and takes a while in which more is written: what only counts on
// is told once a second nevertheless.
func TestRegistrationsUnderLoad(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.registering.Store(int64(5 * time.Millisecond))
		s.found("w1", "w2", "w3")
		s.registrations.Store(0)
		const seconds, every = 3, 2 * time.Millisecond
		for i := range seconds * int(time.Second/every) {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
			time.Sleep(every)
		}
		if n := s.registrations.Load(); n < 3*(seconds-1) || n > 3*(seconds+2) {
			t.Errorf("3 workers registered %d times in %d s", n, seconds)
		}
	})
}
