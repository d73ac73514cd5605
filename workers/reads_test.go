package workers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	logmemory "rideshare/internal/replog/memory"
	"rideshare/internal/store"
)

var countUsers = []db.Query{{Table: "users", Count: true}}

func TestStrongReadsSeeEveryAcknowledgedWrite(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2", "w3")
		for i := range 20 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i)))
			reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong})
			if reply.Read == nil || *reply.Read.Results[0].Count != int64(i+1) {
				t.Fatalf("after %d writes: %+v", i+1, reply)
			}
		}
	})
}

func TestSessionReadsCoverTheirPosition(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2", "w3")
		for i := range 20 {
			at := s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("user", i))).Position
			reply := s.read(db.Read{Queries: countUsers, After: at})
			if reply.Read == nil || *reply.Read.Results[0].Count != int64(i+1) || !reply.Read.Position.Covers(at) {
				t.Fatalf("after %s: %+v", at, reply)
			}
		}
	})
}

func TestAPositionBeyondTheLogIsRefusedAtOnce(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2")
		start := time.Now()
		for _, level := range []db.Consistency{db.Session, db.Strong} {
			reply := s.read(db.Read{Queries: countUsers, Consistency: level, After: db.Position{Epoch: 1, Seq: 1 << 40}})
			if reply.Error == nil || reply.Error.Kind != db.BadPosition {
				t.Errorf("the reply to a %s read: %+v", level, reply)
			}
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// poisoned is a store that one read ends.
type poisoned struct{ store.Store }

// Read implements store.Store.
func (p poisoned) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	if r.Queries[0].Table == "riders" {
		time.Sleep(time.Second)
		return db.ReadResult{}, errors.New("the server is gone")
	}
	return p.Store.Read(ctx, r)
}

// A read that ends the database of whoever executes it ends two replicas, not all, and is answered.
func TestAPoisonousReadEnds(t *testing.T) {
	open := inMemory()
	bubbleOn(t, func(ctx context.Context, database string) (store.Store, error) {
		s, err := open(ctx, database)
		return poisoned{s}, err
	}, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2", "w3", "w4")
		reply := s.read(db.Read{Queries: []db.Query{{Table: "riders"}}})
		if reply.Error == nil || reply.Error.Kind != db.Unavailable || !strings.Contains(reply.Error.Message, "second replica") {
			t.Errorf("the reply to the read: %+v", reply)
		}
		synctest.Wait()
		ended := 0
		for _, w := range s.workers {
			if len(w.done) > 0 {
				ended++
				if err := <-w.done; err == nil {
					t.Error("a worker ended without an error")
				}
				w.done <- nil
			}
		}
		if ended != 2 {
			t.Errorf("%d workers have ended, want 2", ended)
		}
		time.Sleep(time.Minute)
		if reply := s.read(db.Read{Queries: countUsers}); reply.Error != nil {
			t.Errorf("another read: %+v", reply)
		}
	})
}

// stalling is a store whose reads of riders take as long as their callers wait. It sends its database's name
// to begun as each of them begins, unless begun is nil.
type stalling struct {
	store.Store
	database string
	begun    chan<- string
}

// Read implements store.Store.
func (s stalling) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	if r.Queries[0].Table == "riders" {
		if s.begun != nil {
			s.begun <- s.database
		}
		<-ctx.Done()
		return db.ReadResult{}, ctx.Err()
	}
	return s.Store.Read(ctx, r)
}

// A read that came from a worker that died is answered also where the next one ends while it executes it: it
// comes to nobody else.
func TestARedeliveredReadIsAnswered(t *testing.T) {
	open := inMemory()
	var executing chan string
	bubbleOn(t, func(ctx context.Context, database string) (store.Store, error) {
		s, err := open(ctx, database)
		return stalling{s, database, executing}, err
	}, logmemory.Options{}, func(s *site) {
		executing = make(chan string, 3)
		master := s.found("w1", "w2", "w3")
		reply := make(chan db.Reply, 1)
		go func() { reply <- s.read(db.Read{Queries: []db.Query{{Table: "riders"}}}) }()
		first := <-executing // its database has its name
		if first == master {
			t.Fatal("the master executes a read while slaves are there")
		}
		begun := time.Now()
		s.kill(first)
		second := <-executing
		if err := s.stop(second); err != nil {
			t.Error(err)
		}
		if r := <-reply; r.Error == nil || r.Error.Kind != db.Unavailable {
			t.Errorf("the reply: %+v", r)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A change of role does not wait for a read that takes long: others are answered meanwhile.
func TestALongReadDoesNotHoldUpAChangeOfRole(t *testing.T) {
	open := inMemory()
	bubbleOn(t, func(ctx context.Context, database string) (store.Store, error) {
		s, err := open(ctx, database)
		return stalling{Store: s}, err
	}, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		long := make(chan struct{})
		go func() {
			s.read(db.Read{Queries: []db.Query{{Table: "riders"}}})
			close(long)
		}()
		time.Sleep(time.Second)
		s.kill(master)
		begun := time.Now()
		s.until("a read is answered", func() bool { return s.read(db.Read{Queries: countUsers}).Error == nil })
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		<-long
	})
}

// refusing is a store that has no room for a large read, or for another one.
type refusing struct {
	store.Store
	why error
}

// Read implements store.Store.
func (r refusing) Read(ctx context.Context, read db.Read) (db.ReadResult, error) {
	if read.Queries[0].Table == "riders" {
		return db.ReadResult{}, fmt.Errorf("sort: %w", r.why)
	}
	return r.Store.Read(ctx, read)
}

// A read that a database has no room for is refused, and ends nobody.
func TestAReadThatCannotBeDone(t *testing.T) {
	for _, why := range []error{store.ErrTooMuch, store.ErrBusy, store.ErrFull} {
		open := inMemory()
		bubbleOn(t, func(ctx context.Context, database string) (store.Store, error) {
			s, err := open(ctx, database)
			return refusing{s, why}, err
		}, logmemory.Options{}, func(s *site) {
			s.found("w1", "w2")
			for range 10 {
				if reply := s.read(db.Read{Queries: []db.Query{{Table: "riders"}}}); reply.Error == nil || reply.Error.Kind != db.Unavailable {
					t.Errorf("%v: the reply is %+v", why, reply)
				}
			}
			s.mustWrite("1", addUser("alice"))
			s.sameEverywhere()
		})
	}
}

// A log that takes longer than anything is repeated after still carries barriers.
func TestBarriersOfASlowLog(t *testing.T) {
	var slow atomic.Pointer[logmemory.Conn] // what is appended through it has taken its time
	var due sync.Map
	fate := func(data []byte) logmemory.Fate {
		r, err := replog.Decode(data)
		if log := slow.Load(); log != nil && err == nil && r.Kind == replog.BarrierKind {
			if _, ok := due.Load(string(data)); !ok {
				later := bytes.Clone(data)
				time.AfterFunc(1500*time.Millisecond, func() {
					due.Store(string(later), true)
					_ = log.Append(context.Background(), later)
				})
				return logmemory.Confirmed // and never delivered by the log itself
			}
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		s.found("w1", "w2")
		s.mustWrite("1", addUser("alice"))
		slow.Store(s.log.Connect())
		if reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong}); reply.Read == nil || *reply.Read.Results[0].Count != 1 {
			t.Errorf("a strong read: %+v", reply)
		}
	})
}

func TestReadsThatWaitShareABarrier(t *testing.T) {
	var barriers atomic.Int64
	var hold atomic.Bool
	fate := func(data []byte) logmemory.Fate {
		if !isKind(data, replog.BarrierKind) {
			return logmemory.Kept
		}
		barriers.Add(1)
		if hold.Load() {
			return logmemory.Confirmed
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		s.found("w1")
		hold.Store(true)
		barriers.Store(0)
		var reads sync.WaitGroup
		for range 50 {
			reads.Go(func() {
				if reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong}); reply.Read == nil {
					t.Errorf("a strong read: %+v", reply)
				}
			})
		}
		synctest.Wait() // all of them wait: one for the barrier under way, the others for the next
		hold.Store(false)
		s.log.Deliver()
		reads.Wait()
		if n := barriers.Load(); n != 2 {
			t.Errorf("50 reads took %d barriers, want 2", n)
		}
	})
}

func TestReadsWhileTheLogIsAway(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2")
		s.mustWrite("1", addUser("alice"))
		s.log.SetAvailable(false)
		if reply := s.read(db.Read{Queries: countUsers}); reply.Read == nil {
			t.Errorf("an eventual read: %+v", reply)
		}
		if reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong}); reply.Read != nil {
			t.Errorf("a strong read without a log: %+v", reply)
		}
		pending := s.send("2", addUser("bob"))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		s.log.SetAvailable(true)
		if reply := <-pending; reply.Write == nil {
			t.Errorf("the write that waited: %+v", reply)
		}
		if reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong}); reply.Read == nil || *reply.Read.Results[0].Count != 2 {
			t.Errorf("a strong read afterwards: %+v", reply)
		}
	})
}

func TestTheMasterReadsWhereThereIsNoSlave(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		s.mustWrite("1", addUser("alice"))
		if reply := s.read(db.Read{Queries: countUsers}); reply.Read == nil {
			t.Errorf("a read: %+v", reply)
		}
	})
}

func TestSlavesReadWhereThereAreSome(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		for range 50 {
			s.read(db.Read{Queries: countUsers})
		}
		time.Sleep(2 * time.Second) // the counts are in the registry
		synctest.Wait()
		for id := range s.workers {
			if n := s.member(id).Reads; (id == master) != (n == 0) {
				t.Errorf("%s (master %s) has served %d reads", id, master, n)
			}
		}
	})
}

// What a worker has in hand when it ends is answered by another one, not given up.
func TestReadsOfAWorkerThatEndsGoToOthers(t *testing.T) {
	var hold atomic.Bool
	fate := func(data []byte) logmemory.Fate {
		if hold.Load() && isKind(data, replog.BarrierKind) {
			return logmemory.Confirmed
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		hold.Store(true)
		var reads sync.WaitGroup
		for range 20 {
			reads.Go(func() {
				start := time.Now()
				reply := s.read(db.Read{Queries: countUsers, Consistency: db.Strong})
				if took := time.Since(start); reply.Read == nil || took > 3*time.Second {
					t.Errorf("after %v: %+v", took, reply)
				}
			})
		}
		synctest.Wait() // both slaves have some in hand
		for id := range s.workers {
			if id != master {
				if err := s.stop(id); err != nil {
					t.Error(err)
				}
				break
			}
		}
		hold.Store(false)
		reads.Wait()
	})
}
