package workers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/db"
	logmemory "rideshare/internal/replog/memory"
)

// request writes under an id, with the digest of a request.
func (s *site) request(id, digest string, ops ...db.Op) db.Reply {
	s.t.Helper()
	body, err := json.Marshal(db.Write{Ops: ops})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	data, err := s.client.Call(ctx, bus.Writes, bus.Request{ID: id, Digest: digest, Body: body})
	if err != nil {
		s.t.Fatal(err)
	}
	reply, err := db.DecodeReply(data)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply
}

// A stored reply has the digest of the request that it answers: from the master, from the next
// master, and from one that joined by a snapshot.
func TestRepliesKeepTheDigestOfTheirRequest(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		s.mustWrite("u", addUser("alice"))
		check := func(when string) {
			t.Helper()
			for id, kind := range map[string]db.Kind{"ride": "", "refused": db.Duplicate} {
				reply := s.request(id, "another", addRide("alice"))
				if reply.Digest != "first" || db.KindOf(reply.Fits("another")) != db.KeyReused || reply.Fits("first") != nil {
					t.Errorf("%s: %s has the reply %+v", when, id, reply)
				}
				var got db.Kind
				if reply.Error != nil {
					got = reply.Error.Kind
				}
				if got != kind {
					t.Errorf("%s: %s has the error %q, want %q", when, id, got, kind)
				}
			}
			// Nothing stored by an earlier program has one.
			if reply := s.request("u", "any", addUser("alice")); reply.Digest != "" || reply.Write == nil || reply.Fits("any") != nil {
				t.Errorf("%s: without a digest: %+v", when, reply)
			}
		}
		s.request("ride", "first", addRide("alice"))
		s.request("refused", "first", addUser("alice"))
		check("the same master")
		s.start("w3", "w3")
		s.until("w3 serves", func() bool { return s.member("w3").State == "serving" })
		s.sameEverywhere()
		for _, id := range []string{master, map[string]string{"w1": "w2", "w2": "w1"}[master]} {
			s.kill(id)
			check("after the death of " + id)
		}
	})
}

// Two requests at once under one id: one is executed, and both get its reply.
func TestTwoRequestsUnderOneIDAtOnce(t *testing.T) {
	gathered(t, func(s *site, gather func(...func())) {
		s.mustWrite("u", addUser("alice"))
		replies := make([]db.Reply, 8)
		var calls []func()
		for i := range replies {
			calls = append(calls, func() { replies[i] = s.request("id", fmt.Sprint("d", i), addUser(fmt.Sprint("user", i))) })
		}
		gather(calls...)
		executed := 0
		for i, r := range replies {
			if r.Digest != replies[0].Digest {
				t.Errorf("request %d got the reply of %s, not of %s", i, r.Digest, replies[0].Digest)
			}
			if r.Fits(fmt.Sprint("d", i)) == nil {
				executed++
			}
		}
		if users := s.users(s.master()); executed != 1 || len(users) != 2 {
			t.Errorf("%d requests were executed; users %v", executed, users)
		}
	})
}

// A clear discards stored replies, on every replica: a request under an old id is executed anew. It
// keeps its own reply, and that of earlier clears.
func TestClearDiscardsStoredReplies(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2")
		s.mustWrite("u", addUser("alice"))
		s.request("ride", "d", addRide("alice"))
		time.Sleep(time.Second)
		s.mustWrite("clear", db.Op{Clear: true})
		time.Sleep(time.Second)
		s.kill(master)
		s.mustWrite("u", addUser("alice")) // anew, under the same id
		ride := s.request("ride", "another", addRide("alice"))
		if ride.Write == nil || ride.Digest != "another" || fmt.Sprint(ride.Write.Results[0].Values["ride_id"]) != "1" {
			t.Errorf("the ride after the clear: %+v", ride)
		}
		for range 2 {
			s.mustWrite("clear", db.Op{Clear: true})
		}
		next := s.master()
		if users := s.users(next); !slices.Equal(users, []string{"alice"}) {
			t.Errorf("a clear that was repeated under its id has cleared again: users %v", users)
		}
		time.Sleep(time.Second)
		s.mustWrite("another clear", db.Op{Clear: true})
		time.Sleep(time.Second)
		s.mustWrite("u2", addUser("bob"))
		if r := s.mustWrite("clear", db.Op{Clear: true}); len(r.Results) != 1 {
			t.Errorf("the reply to the first clear: %+v", r)
		}
		if users := s.users(next); !slices.Equal(users, []string{"bob"}) {
			t.Errorf("a clear that was repeated after another one has cleared again: users %v", users)
		}
		s.start("w3", "w3")
		s.until("w3 serves", func() bool { return s.member("w3").State == "serving" })
		s.sameEverywhere()
	})
}

// Writes before and after a clear in one entry.
func TestAClearAmongOthers(t *testing.T) {
	gathered(t, func(s *site, gather func(...func())) {
		s.mustWrite("u", addUser("alice"))
		// The ride that is refused has the requests of the batch executed one by one.
		for _, refused := range []string{"alice", "nobody"} {
			n := refused
			gather(
				func() { s.request(n+" before", "", addUser(n+" before")) },
				func() { s.request(n+" ride", "", addRide(n)) },
				func() { s.request(n+" clear", "", db.Op{Clear: true}) },
				func() { s.request(n+" after", "", addUser(n+" after")) },
			)
			if users := s.users(s.master()); !slices.Equal(users, []string{n + " after"}) {
				t.Errorf("users %v", users)
			}
			time.Sleep(time.Second)
			s.request(n+" before", "", addUser(n+" before")) // anew
			s.request(n+" after", "", addUser(n+" after"))   // has its reply
			s.request(n+" clear", "", db.Op{Clear: true})    // has its reply
			if users := s.users(s.master()); !slices.Equal(users, []string{n + " after", n + " before"}) {
				t.Errorf("users %v", users)
			}
		}
		s.sameEverywhere()
	})
}

// A message whose acknowledgement was lost is delivered again. If it was executed before a clear, it is
// not executed again after it.
func TestMessagesFromBeforeAClearAreNotExecutedAgain(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.unacknowledged = map[string]bool{"u": true, "clear": true}
		s.found("w1", "w2")
		s.mustWrite("u", addUser("alice"))
		time.Sleep(time.Second)
		for _, clear := range []string{"clear", "another clear"} {
			s.mustWrite(clear, db.Op{Clear: true})
			time.Sleep(time.Second)
		}
		s.mustWrite("v", addUser("bob"))
		s.kill(s.master())
		s.mustWrite("w", addUser("carol"))
		if stats, err := s.client.Inspect(t.Context(), bus.Writes); err != nil || stats.Waiting != 0 {
			t.Errorf("%d messages wait: %v", stats.Waiting, err)
		}
		if users := s.users(s.master()); !slices.Equal(users, []string{"bob", "carol"}) {
			t.Errorf("users %v", users)
		}
	})
}

// unacknowledging is a bus that loses the acknowledgements of some requests of the site.
type unacknowledging struct {
	bus.Bus
	site *site
}

// Consume implements bus.Bus.
func (b unacknowledging) Consume(ctx context.Context, q bus.Queue, o bus.ConsumeOptions) (bus.Consumer, error) {
	inner, err := b.Bus.Consume(ctx, q, o)
	if err == nil && b.site.closing > 0 {
		return lingering{inner, b.site.closing}, nil
	}
	if err != nil || len(b.site.unacknowledged) == 0 {
		return inner, err
	}
	c := unacknowledged{inner, make(chan bus.Delivery, o.Prefetch)}
	go func() {
		defer close(c.deliveries)
		for d := range inner.Deliveries() {
			if b.site.unacknowledged[d.ID] && !d.Redelivered {
				d.Ack = func() error { return nil }
			}
			c.deliveries <- d
		}
	}()
	return c, nil
}

// lingering is a subscription that a node of the broker takes long to end.
type lingering struct {
	bus.Consumer
	takes time.Duration
}

// Close implements bus.Consumer.
func (l lingering) Close() {
	time.Sleep(l.takes)
	l.Consumer.Close()
}

type unacknowledged struct {
	bus.Consumer
	deliveries chan bus.Delivery
}

// Deliveries implements bus.Consumer.
func (c unacknowledged) Deliveries() <-chan bus.Delivery { return c.deliveries }

// gathered runs a test with a way to have requests share an entry, in their order.
func gathered(t *testing.T, test func(s *site, gather func(...func()))) {
	var closed atomic.Bool
	fate := func([]byte) logmemory.Fate {
		if closed.Load() {
			return logmemory.Failed
		}
		return logmemory.Kept
	}
	bubble(t, logmemory.Options{Fate: fate}, func(s *site) {
		s.found("w1", "w2")
		n := 0
		test(s, func(calls ...func()) {
			closed.Store(true)
			n++
			// The first entry is under way and cannot be appended: the others gather behind it.
			done := make(chan struct{}, len(calls)+1)
			start := func(call func()) {
				go func() { call(); done <- struct{}{} }()
				synctest.Wait()
			}
			start(func() { s.request(fmt.Sprint("first ", n), "", db.Op{Delete: "riders"}) })
			for _, call := range calls {
				start(call)
			}
			closed.Store(false)
			for range len(calls) + 1 {
				<-done
			}
		})
	})
}
