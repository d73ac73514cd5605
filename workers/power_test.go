package workers_test

import (
	"testing"

	"rideshare/internal/cluster"
	logmemory "rideshare/internal/replog/memory"
)

// TestASlaveThatLostItsNewestCommits: it goes on where its database is, by the log alone.
func TestASlaveThatLostItsNewestCommits(t *testing.T) {
	disks := memoryDisks{}
	bubbleOn(t, disks.open, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		slave := map[string]string{"w1": "w2", "w2": "w3", "w3": "w1"}[master]
		at := s.mustWrite("1", addUser("alice")).Position
		s.until("the slave has it", func() bool { return s.member(slave).Position == at })
		disks[slave].CutPower()
		s.kill(slave)
		again := disks[slave].Open()
		state, err := again.State(s.t.Context())
		if err != nil || state.Position() == at {
			s.t.Fatalf("after the loss of power the database is at %v (%v), and nothing was lost", state.Position(), err)
		}
		s.donors.Clear() // nobody gives a snapshot
		s.start("w4", slave)
		s.until("it serves", func() bool { return s.member("w4").State == cluster.Serving })
		s.sameEverywhere()
	})
}

// TestAcknowledgedWritesSurviveTheLossOfPowerAndLog: they are on the disk of the last master, also those that an
// earlier one has acknowledged whose disk is gone.
func TestAcknowledgedWritesSurviveTheLossOfPowerAndLog(t *testing.T) {
	for name, orderly := range map[string]bool{"failover": false, "switchover": true} {
		t.Run(name, func(t *testing.T) {
			disks := memoryDisks{}
			bubbleOn(t, disks.open, logmemory.Options{}, func(s *site) {
				first := s.found("w1", "w2", "w3")
				at := s.mustWrite("1", addUser("alice")).Position
				s.until("all have it", func() bool {
					return s.member("w1").Position == at && s.member("w2").Position == at && s.member("w3").Position == at
				})
				if orderly {
					next := map[string]string{"w1": "w2", "w2": "w3", "w3": "w1"}[first]
					s.configureSwitch(next, s.member(first).Position.Epoch)
					s.until("it leads", func() bool { return s.leads(next) })
				}
				s.kill(first)
				second := s.master()
				for id := range s.workers {
					disks[id].CutPower()
					s.kill(id)
				}
				s.log.Wipe()
				s.start("w5", second)
				s.seed("w5")
				s.until("it leads", func() bool { return s.leads("w5") })
				if got := s.users("w5"); len(got) != 1 || got[0] != "alice" {
					s.t.Errorf("after all that it has %v", got)
				}
				if reply := s.write("1", addUser("bob")); reply.Write == nil || reply.Write.Position != at {
					s.t.Errorf("the first write is answered with %+v", reply)
				}
			})
		})
	}
}

// TestAWorkerThatEndsPutsAllOnDisk: and its database waits for the disk again, as earlier programs want it.
func TestAWorkerThatEndsPutsAllOnDisk(t *testing.T) {
	disks := memoryDisks{}
	bubbleOn(t, disks.open, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		slave := map[string]string{"w1": "w2", "w2": "w1"}[master]
		at := s.mustWrite("1", addUser("alice")).Position
		s.until("the slave has it", func() bool { return s.member(slave).Position == at })
		if err := s.stop(slave); err != nil {
			s.t.Fatal(err)
		}
		disks[slave].CutPower()
		state, err := disks[slave].Open().State(s.t.Context())
		if err != nil || state.Position() != at {
			s.t.Errorf("after the loss of power the database is at %v (%v), not at %v", state.Position(), err, at)
		}
	})
}
