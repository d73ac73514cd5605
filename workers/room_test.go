package workers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	logmemory "rideshare/internal/replog/memory"
)

var moments = map[string]moment{"on execute": onExecute, "on commit": onCommit, "after commit": afterCommit}

// eachMoment runs a test with disks that are full in each of the ways.
func eachMoment(t *testing.T, test func(*site, *disks, moment)) {
	for name, m := range moments {
		t.Run(name, func(t *testing.T) {
			d := newDisks()
			bubbleOn(t, d.on(onFiles(t)), logmemory.Options{}, func(s *site) { test(s, d, m) })
		})
	}
}

// full reports whether the worker says that its disk is full.
func (s *site) full(id string) bool {
	return strings.Contains(s.member(id).Database, "the disk is full")
}

// alive fails where a worker has ended.
func (s *site) alive() {
	s.t.Helper()
	for id, w := range s.workers {
		select {
		case err := <-w.done:
			w.done <- err
			s.t.Fatalf("%s has died: %v", id, err)
		default:
		}
	}
}

func TestAMasterWithAFullDiskGivesWay(t *testing.T) {
	eachMoment(t, func(s *site, d *disks, m moment) {
		master := s.found("w1", "w2", "w3")
		s.mustWrite("u", addUser("alice"))
		d.fill(m, master)
		began := time.Now()
		ride := s.mustWrite("ride", addRide("alice"))
		if took := time.Since(began); took > time.Second {
			t.Errorf("the write took %v", took)
		}
		// Nobody else has written it: done twice, it would be another ride.
		if again := s.mustWrite("ride", addRide("alice")); again.Position != ride.Position {
			t.Errorf("%s, and %s again", ride.Position, again.Position)
		}
		if m != afterCommit {
			s.until("it says so", func() bool { return s.full(master) })
		}
		for i := range 10 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		if s.leads(master) && m != afterCommit {
			t.Error("it leads again")
		}
		if state := s.member(master).State; m != afterCommit && state != cluster.Serving {
			t.Errorf("it is %s", state)
		}
		s.alive()
		d.fill(never, master)
		s.until("it is well", func() bool { return s.member(master).Database == "ok" })
		s.sameEverywhere()
	})
}

func TestASlaveWithAFullDiskFallsBehindAndCatchesUp(t *testing.T) {
	eachMoment(t, func(s *site, d *disks, m moment) {
		master := s.found("w1", "w2")
		slave := map[string]string{"w1": "w2", "w2": "w1"}[master]
		s.mustWrite("u", addUser("alice"))
		s.sameEverywhere()
		d.fill(m, slave)
		for i := range 10 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
			for _, level := range []db.Consistency{db.Eventual, db.Strong} {
				reply := s.read(db.Read{Queries: countUsers, Consistency: level})
				if reply.Read == nil || level == db.Strong && *reply.Read.Results[0].Count != int64(i+2) {
					t.Fatalf("a %s read after %d writes: %+v", level, i+1, reply)
				}
			}
		}
		if users := s.users(slave); m != afterCommit && !slices.Equal(users, []string{"alice"}) {
			t.Errorf("it has written %v", users)
		}
		s.alive()
		d.fill(never, slave)
		s.until("it is well", func() bool { return s.member(slave).Database == "ok" })
		s.sameEverywhere()
	})
}

// When every disk is full, reads go on, and the write that waits is done once when there is room.
func TestEveryDiskIsFull(t *testing.T) {
	eachMoment(t, func(s *site, d *disks, m moment) {
		all := []string{"w1", "w2", "w3"}
		s.found(all...)
		at := s.mustWrite("u", addUser("alice")).Position
		s.sameEverywhere()
		d.fill(m, all...)
		ride := s.send("ride", addRide("alice"))
		time.Sleep(5 * time.Second)
		for i := range 20 {
			for _, r := range []db.Read{{Consistency: db.Eventual}, {Consistency: db.Session, After: at}} {
				r.Queries = countUsers
				if reply := s.read(r); reply.Read == nil || *reply.Read.Results[0].Count != 1 {
					t.Fatalf("%s read %d: %+v", r.Consistency, i, reply)
				}
			}
			began := time.Now()
			reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong})
			if m == onCommit && db.KindOf(reply.Error) != db.Unavailable || m == onExecute && reply.Read == nil {
				t.Fatalf("strong read %d: %+v", i, reply)
			}
			if took := time.Since(began); m != afterCommit && took > 1500*time.Millisecond {
				t.Errorf("strong read %d took %v", i, took)
			}
		}
		for _, id := range all {
			if m != afterCommit && !s.full(id) {
				t.Errorf("%s says that its database is %q", id, s.member(id).Database)
			}
		}
		s.alive()
		d.fill(never, all...)
		if reply := <-ride; reply.Write == nil {
			t.Fatalf("the write that waited: %+v", reply.Error)
		}
		s.sameEverywhere()
		reply := s.read(db.Read{Queries: []db.Query{{Table: "rides", Count: true}}, Consistency: db.Strong})
		if reply.Read == nil || *reply.Read.Results[0].Count != 1 {
			t.Errorf("rides: %+v", reply)
		}
		for _, id := range all {
			if s.member(id).Database != "ok" {
				s.until(id+" is well", func() bool { return s.member(id).Database == "ok" })
			}
		}
	})
}

// A write that finds no room does not make one replica after the other master, for ever.
func TestNobodyIsElectedInVain(t *testing.T) {
	d := newDisks()
	bubbleOn(t, d.on(onFiles(t)), logmemory.Options{}, func(s *site) {
		all := []string{"w1", "w2", "w3"}
		s.found(all...)
		s.mustWrite("u", addUser("alice"))
		d.fill(onExecute, all...)
		ride := s.send("ride", addRide("alice"))
		s.until("all are full", func() bool { return !slices.ContainsFunc(all, func(id string) bool { return !s.full(id) }) })
		time.Sleep(3 * time.Second) // until the registry knows where they are
		before := s.member("w1").Position.Epoch
		time.Sleep(20 * time.Second)
		if after := s.member("w1").Position.Epoch; after != before {
			t.Errorf("epoch %d became %d", before, after)
		}
		d.fill(never, all...)
		if reply := <-ride; reply.Write == nil {
			t.Errorf("the write that waited: %+v", reply.Error)
		}
	})
}

// Where the log is new after a start, a full disk cannot store which one it follows. It reads all the same.
func TestAStartOnFullDisks(t *testing.T) {
	d := newDisks()
	bubbleOn(t, d.on(onFiles(t)), logmemory.Options{}, func(s *site) {
		all := []string{"w1", "w2"}
		s.found(all...)
		s.mustWrite("u", addUser("alice"))
		s.sameEverywhere()
		for _, id := range all {
			if err := s.stop(id); err != nil {
				t.Fatal(err)
			}
		}
		s.log.Wipe()
		d.fill(onCommit, all...)
		for _, id := range all {
			s.start(id+".2", id)
		}
		s.seed("w1.2")
		s.admit("w2.2")
		s.until("they serve", func() bool {
			return s.member("w1.2").State == cluster.Serving && s.member("w2.2").State == cluster.Serving
		})
		for _, level := range []db.Consistency{db.Eventual, db.Strong} {
			reply := s.read(db.Read{Queries: countUsers, Consistency: level})
			if reply.Read == nil || *reply.Read.Results[0].Count != 1 {
				t.Errorf("a %s read: %+v", level, reply)
			}
		}
		time.Sleep(5 * time.Second)
		if s.leads("w1.2") || s.leads("w2.2") {
			t.Error("one leads")
		}
		d.fill(never, all...)
		s.mustWrite("ride", addRide("alice"))
		s.sameEverywhere()
	})
}

// A slave starts on a full disk, beside a master: it has no room for the entry that is the sign of it.
func TestASlaveStartsOnAFullDisk(t *testing.T) {
	d := newDisks()
	bubbleOn(t, d.on(onFiles(t)), logmemory.Options{}, func(s *site) {
		slave := other(s.found("w1", "w2"))
		s.mustWrite("u", addUser("alice"))
		s.sameEverywhere()
		if err := s.stop(slave); err != nil {
			t.Fatal(err)
		}
		d.fill(onCommit, slave)
		s.start("w3", slave)
		s.until("it serves all the same", func() bool { return s.member("w3").State == cluster.Serving })
		d.fill(never, slave)
		s.sameEverywhere()
	})
}

func TestJoiningOnAFullDisk(t *testing.T) {
	d := newDisks()
	bubbleOn(t, d.on(onFiles(t)), logmemory.Options{}, func(s *site) {
		s.found("w1", "w2")
		s.mustWrite("u", addUser("alice"))
		d.fill(onCommit, "w3")
		s.start("w3", "w3")
		s.until("it says so", func() bool { return s.full("w3") })
		for i := range 5 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
		}
		s.alive()
		d.fill(never, "w3")
		s.until("it serves", func() bool { return s.member("w3").State == cluster.Serving && s.member("w3").Database == "ok" })
		s.sameEverywhere()
	})
}
