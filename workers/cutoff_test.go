package workers_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
	logmemory "rideshare/internal/replog/memory"
)

const quiet = 2 * time.Second

// withQuiet runs a test with workers that doubt a log which is silent.
func withQuiet(t *testing.T, test func(s *site)) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.quiet = quiet
		test(s)
	})
}

// A master that cannot reach the log leaves its office to a worker that can.
func TestAMasterThatIsCutOffYields(t *testing.T) {
	for _, busy := range []bool{false, true} {
		withQuiet(t, func(s *site) {
			master := s.found("w1", "w2", "w3")
			s.mustWrite("1", addUser("alice"))
			s.workers[master].log.Cut(true)
			cut := time.Now()
			if busy {
				s.mustWrite("2", addUser("bob"))
			}
			s.until("another is master", func() bool {
				now, err := s.operator.Master(s.t.Context())
				return err == nil && now.Worker != master && s.leads(now.Worker)
			})
			if took := time.Since(cut); took > 10*time.Second {
				t.Errorf("busy %t: it took %v", busy, took)
			}
			s.mustWrite("3", addUser("carol"))
			next, err := s.operator.Master(s.t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.workers[master].log.Cut(false)
			s.until("the former master follows", func() bool {
				m := s.member(master)
				return !m.CutOff && m.Role == cluster.Slave && m.Position.Seq == s.member(next.Worker).Position.Seq
			})
			s.sameEverywhere()
		})
	}
}

// A master that yields is not held up by the broker, which may take long to end its subscription.
func TestAYieldingMasterResignsFirst(t *testing.T) {
	withQuiet(t, func(s *site) {
		s.closing = time.Minute
		master := s.found("w1", "w2", "w3")
		s.workers[master].log.Cut(true)
		cut := time.Now()
		s.until("another is master", func() bool {
			now, err := s.operator.Master(s.t.Context())
			return err == nil && now.Worker != master && s.leads(now.Worker)
		})
		if took := time.Since(cut); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		s.workers[master].log.Cut(false)
	})
}

// A worker that is registered as master, and does not lead, lets another be elected: its resignation may have
// failed, or met its own claim.
func TestAVacantOfficeIsLeft(t *testing.T) {
	withQuiet(t, func(s *site) {
		master := s.found("w1", "w2", "w3")
		now, err := s.operator.Master(s.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slave := "w1"
		if slave == master {
			slave = "w2"
		}
		s.kill(master)
		if err := s.workers[slave].session.Reclaim(s.t.Context(), registry.Master{Worker: slave, Epoch: now.Epoch}); err != nil {
			t.Fatal(err)
		}
		s.until("somebody leads", func() bool {
			next, err := s.operator.Master(s.t.Context())
			return err == nil && next.Epoch > now.Epoch && s.leads(next.Worker)
		})
		s.mustWrite("1", addUser("alice"))
	})
}

// Where nobody reaches the log nobody could do better: the master stays, and goes on at once.
func TestNobodyYieldsWhereAllAreCutOff(t *testing.T) {
	withQuiet(t, func(s *site) {
		master := s.found("w1", "w2", "w3")
		s.mustWrite("1", addUser("alice"))
		epoch := s.member(master).Position.Epoch
		for _, w := range s.workers {
			w.log.Cut(true)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for id := range s.workers {
			if m := s.member(id); !m.CutOff || (m.Role == cluster.Master) != (id == master) {
				t.Errorf("%s: %+v", id, m)
			}
		}
		if r := s.read(db.Read{Queries: []db.Query{{Table: "users", Count: true}}}); r.Error != nil {
			t.Errorf("an eventual read of workers that are cut off: %v", r.Error)
		}
		for _, w := range s.workers {
			w.log.Cut(false)
		}
		healed := time.Now()
		if at := s.mustWrite("2", addUser("bob")).Position; at.Epoch != epoch {
			t.Errorf("written in epoch %d, after %d", at.Epoch, epoch)
		}
		if took := time.Since(healed); took > 3*time.Second {
			t.Errorf("it took %v to go on", took)
		}
		s.sameEverywhere()
	})
}

// A worker that was elected, and cannot append its marker, leaves that to another.
func TestAnElectedWorkerThatIsCutOffYields(t *testing.T) {
	withQuiet(t, func(s *site) {
		master := s.found("w1", "w2", "w3")
		s.mustWrite("1", addUser("alice"))
		var chosen string
		for id := range s.workers {
			if id != master {
				chosen = id
			}
		}
		s.workers[chosen].log.Cut(true)
		s.configureSwitch(chosen, s.member(master).Position.Epoch)
		s.until("it is elected", func() bool {
			m, err := s.operator.Master(s.t.Context())
			return err == nil && m.Worker == chosen
		})
		elected := time.Now()
		s.kill(master) // nobody serves now
		s.mustWrite("2", addUser("bob"))
		if took := time.Since(elected); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
		s.workers[chosen].log.Cut(false)
		s.sameEverywhere()
	})
}

// A slave that is cut off gives the reads that wait for the log to those that reach it.
func TestASlaveThatIsCutOffLeavesReadsToOthers(t *testing.T) {
	withQuiet(t, func(s *site) {
		master := s.found("w1", "w2")
		s.mustWrite("1", addUser("alice"))
		for id, w := range s.workers {
			if id != master {
				w.log.Cut(true)
			}
		}
		strong := db.Read{Queries: []db.Query{{Table: "users", Count: true}}, Consistency: db.Strong}
		begun := time.Now()
		s.until("a strong read is answered", func() bool { return s.read(strong).Error == nil })
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		begun = time.Now()
		r := s.read(strong)
		if took := time.Since(begun); r.Error != nil || took > time.Second {
			t.Errorf("the next one took %v: %v", took, r.Error)
		}
	})
}

// Members tell who leads according to the log.
func TestMembersNameTheLeaderOfTheLog(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		s.kill(master)
		next := s.master()
		want := registry.Master{Worker: next, Epoch: s.member(next).Position.Epoch}
		s.until("all name it", func() bool {
			for id := range s.workers {
				if s.member(id).Leader != want {
					return false
				}
			}
			return true
		})
	})
}

// A slave is cut off from the log and the master dies. Who starts on the master's database waits for a sign of a master, and
// nobody else can give one: the slave must not be in its way.
func TestACutOffSlaveLeavesItToOneThatStarts(t *testing.T) {
	for name, behind := range map[string]bool{"it has everything": false, "it lags": true} {
		t.Run(name, func(t *testing.T) {
			withQuiet(t, func(s *site) {
				master := s.found("w1", "w2")
				slave := other(master)
				s.mustWrite("1", addUser("alice"))
				s.sameEverywhere()
				s.watch(s.registered)
				s.workers[slave].log.Cut(true)
				if behind {
					s.mustWrite("2", addUser("bob"))
				}
				s.until("it is cut off", func() bool { return s.member(slave).CutOff })
				s.kill(master)
				s.start("w3", master)
				s.until("the one that has started leads", func() bool { return s.leads("w3") })
				s.workers[slave].log.Cut(false)
				s.sameEverywhere()
			})
		})
	}
}
