package workers_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	logmemory "rideshare/internal/replog/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWriteReachesEveryReplica(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2", "w3")
		s.mustWrite("1", addUser("alice"))
		result := s.mustWrite("2", addRide("alice"))
		if result.Results[0].Values["ride_id"] == nil || result.Position.Seq == 0 {
			t.Errorf("result %+v", result)
		}
		s.sameEverywhere()
		if users := s.users("w2"); !slices.Equal(users, []string{"alice"}) {
			t.Errorf("users %v", users)
		}
	})
}

func TestTheSameIDGetsTheSameReplyAndIsDoneOnce(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		s.mustWrite("u", addUser("alice"))
		first := s.write("ride", addRide("alice"))
		refused := s.write("again", addUser("alice"))
		if db.KindOf(refused.Error) != db.Duplicate {
			t.Fatalf("a second alice: %+v", refused)
		}
		// What was refused stays refused under that id, even when it would go through by now: the
		// caller may have acted on the refusal.
		s.mustWrite("delete", db.Op{Delete: "users", Expect: db.Rows(1)})
		s.kill(master)
		for id, want := range map[string]db.Reply{"ride": first, "again": refused} {
			if diff := cmp.Diff(want, s.write(id, addUser("alice"))); diff != "" {
				t.Errorf("the reply to %q, from the next master (-first +second):\n%s", id, diff)
			}
		}
	})
}

func TestARequestThatFailsIsUndoneAlone(t *testing.T) {
	// No append goes through at first, so that requests gather and share an entry.
	var open atomic.Bool
	open.Store(true)
	fate := func([]byte) logmemory.Fate {
		if open.Load() {
			return logmemory.Kept
		}
		return logmemory.Failed
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		s.found("w1", "w2")
		s.mustWrite("u", addUser("alice"))
		open.Store(false)
		var replies []<-chan db.Reply
		for i, op := range []db.Op{addUser("bob"), addRide("alice"), addRide("nobody"), addUser("bob"), addRide("alice")} {
			replies = append(replies, s.send(fmt.Sprint("batch", i), op))
			synctest.Wait()
		}
		open.Store(true)
		got := make([]db.Reply, len(replies))
		for i, c := range replies {
			got[i] = <-c
		}
		kinds := []db.Kind{"", "", db.ForeignKey, db.Duplicate, ""}
		for i, want := range kinds {
			var kind db.Kind
			if got[i].Error != nil {
				kind = got[i].Error.Kind
			}
			if kind != want {
				t.Errorf("request %d: %q, want %q", i, kind, want)
			}
		}
		// The ride that failed has taken no number with it.
		last := got[4].Write.Results[0].Values["ride_id"]
		if fmt.Sprint(last) != "2" {
			t.Errorf("the second ride has the number %v", last)
		}
		s.sameEverywhere()
	})
}

// A broker's confirm is no proof (invariant I2): the reply waits until the entry was read back.
func TestNoReplyBeforeTheEntryIsReadBack(t *testing.T) {
	var hold atomic.Bool
	fate := func(data []byte) logmemory.Fate {
		if hold.Load() && isKind(data, replog.EntryKind) {
			return logmemory.Confirmed
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		s.found("w1", "w2")
		hold.Store(true)
		reply := s.send("1", addUser("alice"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		select {
		case r := <-reply:
			t.Fatalf("a reply, though no replica has read the entry: %+v", r)
		default:
		}
		s.log.Deliver() // also what was appended again meanwhile
		if r := <-reply; r.Write == nil {
			t.Errorf("the reply: %+v", r)
		}
		hold.Store(false)
		s.sameEverywhere()
		if users := s.users("w1"); len(users) != 1 {
			t.Errorf("users %v", users)
		}
	})
}

func TestAppendsThatFailAreRepeatedUnchanged(t *testing.T) {
	for name, fate := range map[string]logmemory.Fate{
		"lost": logmemory.Failed, "in doubt": logmemory.Unknown, "doubled": logmemory.Twice, "late": logmemory.Late,
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			misbehave := func([]byte) logmemory.Fate {
				if n.Add(1)%3 == 0 {
					return logmemory.Kept
				}
				return fate
			}
			bubble(t, logmemory.Options{Fate: misbehave}, func(s *site) {
				s.found("w1", "w2")
				for i := range 20 {
					s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
				}
				s.log.Deliver()
				s.mustWrite("last", addUser("last"))
				s.sameEverywhere()
				if users := s.users("w2"); len(users) != 21 {
					t.Errorf("%d users: %v", len(users), users)
				}
			})
		})
	}
}

// While the entry of a master is on its way, another one takes over: the log decides that the
// entry does not count, its request goes to the new master, and happens once.
func TestADeposedMasterRollsBackAndTheRequestGoesOn(t *testing.T) {
	var hold atomic.Bool
	fate := func(data []byte) logmemory.Fate {
		if hold.Load() && isKind(data, replog.EntryKind) {
			return logmemory.Confirmed // and it arrives after the new master's marker
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		old := s.found("w1", "w2")
		next := map[string]string{"w1": "w2", "w2": "w1"}[old]
		hold.Store(true)
		reply := s.send("1", addUser("alice"))
		synctest.Wait()
		hold.Store(false)
		epoch := s.member(old).Position.Epoch
		s.configureSwitch(next, epoch)
		if r := <-reply; r.Write == nil || r.Write.Position.Epoch <= epoch {
			t.Fatalf("the reply is not the new master's: %+v", r)
		}
		s.log.Deliver() // the old master's entry, too late
		s.until("the old master is a slave", func() bool { return s.leads(next) && !s.leads(old) })
		s.mustWrite("2", addUser("bob"))
		s.sameEverywhere()
		if users := s.users(old); len(users) != 2 {
			t.Errorf("users %v", users)
		}
	})
}

// Nobody takes a request before it has read back its own marker (invariant I4).
func TestNothingIsConsumedBeforeTheMarker(t *testing.T) {
	var hold atomic.Bool
	fate := func(data []byte) logmemory.Fate {
		if hold.Load() && isKind(data, replog.MarkerKind) {
			return logmemory.Confirmed
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		old := s.found("w1", "w2")
		hold.Store(true)
		s.kill(old)
		reply := s.send("1", addUser("alice"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if found, err := s.client.Inspect(s.t.Context(), "writes"); err != nil || found.Consumers != 0 {
			t.Errorf("%d consumers of writes before any marker is in the log: %v", found.Consumers, err)
		}
		hold.Store(false)
		s.log.Deliver()
		if r := <-reply; r.Write == nil {
			t.Errorf("the reply: %+v", r)
		}
	})
}
