package workers_test

import (
	"fmt"
	"testing"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	logmemory "rideshare/internal/replog/memory"
)

// A loss of power ends everything, and the broker had not put the newest records on its disk: the log ends before what
// a replica has, and what was acknowledged. Another replica has less than the log; it must not begin.
func TestTheLogLosesItsEnd(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		slave := other(master)
		s.mustWrite("before", addUser("alice"))
		s.sameEverywhere()
		s.kill(slave)
		const lost = 3
		for i := range lost {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		s.kill(master)
		s.log.Shorten(lost)
		s.start("w3", slave)
		s.until("the slave is at the end of the log", func() bool { return s.member("w3").AtEnd })
		time.Sleep(time.Minute) // it could begin at any time
		if m := s.member("w3"); m.State != cluster.Following {
			t.Errorf("it has begun, before the other was heard of: %+v", m)
		}
		s.start("w4", master)
		s.seed("w4")
		s.mustWrite("after", addUser("bob"))
		s.sameEverywhere()
		if users := s.users("w3"); len(users) != lost+2 {
			t.Errorf("users %v", users)
		}
	})
}

func other(id string) string {
	if id == "w1" {
		return "w2"
	}
	return "w1"
}

// lagging returns a master that has one write more than its slave, which is cut off from the log.
func (s *site) lagging() (master, slave string) {
	s.t.Helper()
	master = s.found("w1", "w2")
	slave = other(master)
	s.mustWrite("1", addUser("alice"))
	s.sameEverywhere()
	s.workers[slave].log.Cut(true)
	s.mustWrite("2", addUser("bob"))
	return master, slave
}

// The broker alone loses power. The master gives up, and a slave that fits the log must not take over.
func TestTheLogLosesItsEndWhileReplicasServe(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master, slave := s.lagging()
		s.registering.Store(int64(100 * time.Millisecond)) // longer than the slave waits with its candidature
		s.log.Shorten(1)
		s.workers[slave].log.Cut(false)
		s.until("the master finds no place in the log", func() bool { return s.member(master).State == cluster.Unseeded })
		time.Sleep(10 * time.Second) // the slave could be elected at any time
		if m, err := s.operator.Master(s.t.Context()); err == nil {
			t.Errorf("%s is master", m.Worker)
		}
		s.seed(master)
		s.mustWrite("3", addUser("carol"))
		s.sameEverywhere()
		if users := s.users(slave); len(users) != 3 {
			t.Errorf("users %v", users)
		}
	})
}

// While the broker is away, the master has a write under way. Its entry comes to the shorter log before anybody has
// noticed: it continues nothing there, and says nothing about who has gone on.
func TestTheLogLosesItsEndBeforeAWrite(t *testing.T) {
	for lost := range 4 {
		t.Run(fmt.Sprint(lost, " records"), func(t *testing.T) {
			bubble(t, logmemory.Options{}, func(s *site) {
				s.found("w1", "w2", "w3")
				s.watch(s.registered)
				for i := range 5 {
					s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
				}
				s.sameEverywhere()
				s.log.SetAvailable(false)
				reply := s.send("under way", addUser("bob"))
				time.Sleep(5 * time.Second) // of virtual time, as everywhere here: the write waits for the log
				s.log.Shorten(lost)
				s.log.SetAvailable(true)
				if r := <-reply; r.Write == nil {
					t.Errorf("the write under way: %+v", r)
				}
				s.mustWrite("after", addUser("carol"))
				s.sameEverywhere()
				if users := s.users("w1"); len(users) != 7 {
					t.Errorf("users %v", users)
				}
			})
		})
	}
}

// The log loses the marker of the master, and a slave had not read it. What the master writes then would count for it
// alone. The same with an entry of the master's, and one that is under way: the slave ends before the marker.
func TestTheLogLosesAMarker(t *testing.T) {
	for name, written := range map[string]bool{"alone": false, "and an entry": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, logmemory.Options{}, func(s *site) {
				first := s.found("w1", "w2", "w3")
				s.mustWrite("1", addUser("alice"))
				s.sameEverywhere()
				time.Sleep(3 * time.Second) // until all have registered where they are
				var next, slow string
				for _, id := range []string{"w1", "w2", "w3"} {
					if id != first {
						next, slow = slow, id
					}
				}
				s.workers[slow].session.Cut()
				s.workers[slow].log.Cut(true)
				before := s.log.Len()
				s.kill(first)
				s.until("there is another master", func() bool { return s.leads(next) })
				s.workers[slow].session.Heal()
				s.until("the slow one is registered again", func() bool { return s.member(slow).ID != "" })
				want := 2
				if written {
					s.mustWrite("2", addUser("dave"))
					want++
				}
				s.watch(s.registered)
				s.log.Shorten(s.log.Len() - before)
				time.Sleep(time.Second) // until the master has looked for its place
				s.workers[slow].log.Cut(false)
				s.mustWrite("3", addUser("bob"))
				s.sameEverywhere()
				if users := s.users(slow); len(users) != want {
					t.Errorf("users %v, want %d", users, want)
				}
			})
		})
	}
}

// A slave is elected by a planned change, and the log loses what only the master has before the slave leads.
func TestTheLogLosesItsEndDuringASwitchover(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master, slave := s.lagging()
		s.watch(s.registered)
		s.configureSwitch(slave, s.member(master).Position.Epoch)
		s.until("it is elected", func() bool { m, err := s.operator.Master(s.t.Context()); return err == nil && m.Worker == slave })
		s.log.Shorten(1)
		s.until("the master says what it has", func() bool { return s.member(master).State == cluster.Unseeded })
		s.workers[slave].log.Cut(false)
		s.mustWrite("3", addUser("carol"))
		s.sameEverywhere()
		if users := s.users(slave); len(users) != 3 {
			t.Errorf("users %v", users)
		}
	})
}

// The permission to begin comes together with a marker of the epoch that the genesis would have.
func TestAnotherIsElectedBeforeTheGenesis(t *testing.T) {
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			bubble(t, logmemory.Options{}, func(s *site) {
				master := s.found("w1", "w2")
				s.mustWrite("1", addUser("alice"))
				s.mustWrite("2", addUser("bob"))
				s.sameEverywhere()
				epoch := s.member(master).Position.Epoch
				s.log.Shorten(1)
				s.until("nobody finds a place in the log", func() bool {
					return s.member("w1").State == cluster.Unseeded && s.member("w2").State == cluster.Unseeded
				})
				time.Sleep(time.Duration(i) * 57 * time.Millisecond)
				late := replog.Record{Kind: replog.MarkerKind, Epoch: epoch + 1, Worker: "late", Nonce: "late"}
				at := s.member(master).Position
				s.configure(func(c *registry.Config) { c.Seed = registry.Seed{Worker: master, At: at} })
				if err := s.log.Connect().Append(s.t.Context(), late.Encode()); err != nil {
					t.Fatal(err)
				}
				s.watch(s.registered)
				s.mustWrite("3", addUser("carol"))
				s.sameEverywhere()
			})
		})
	}
}
