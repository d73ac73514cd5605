package apitest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// traffic sends writes and reads until stop is called: each has to succeed at once, whatever
// happens to the workers. stop returns when all are answered, and checks that every write is there.
func (s *suite) traffic(prefix string) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	var n atomic.Int64
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				s.want(putUser(fmt.Sprintf("%s%06d", prefix, n.Add(1))), 201)
			}
		})
		wg.Go(func() {
			for ctx.Err() == nil {
				s.want(get("/api/v1/rides/count"), 200)
			}
		})
	}
	stopped := false
	return func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		wg.Wait()
		var wanted []string
		for i := range n.Load() {
			wanted = append(wanted, fmt.Sprintf("%s%06d", prefix, i+1))
		}
		got := decode[[]string](s, s.must(get("/api/v1/users?after="+prefix+fmt.Sprintf("&limit=%d", n.Load())), 200))
		if !slices.Equal(got, wanted) {
			s.t.Errorf("%d users were created while workers changed; %d are there", len(wanted), len(got))
		}
	}
}

// testSwitchover: a planned change of master, in which no request fails.
func testSwitchover(s *suite) {
	s.clear("alice")
	before := s.fix(2)
	path := "/api/v1/cluster/switchover"
	for name, body := range map[string]any{"number": object{"to": 7}, "null": object{"to": nil}, "list": object{"to": []any{"a"}}, "unknown field": object{"from": "a"}} {
		s.cases(testCase{name: "refused: " + name, request: operate("POST", path, body), status: 400})
	}
	for _, to := range []string{"nobody", "'; --", "..", "🚕"} {
		s.cases(testCase{name: "unknown worker " + to, request: operate("POST", path, object{"to": to}), status: 409})
	}
	if now := s.topology(); now.Master != before.Master || now.Epoch != before.Epoch {
		s.t.Errorf("what was refused changed the master from %s to %s", before.Master, now.Master)
	}
	s.run("to a slave", func(s *suite) {
		before := s.awaitWhole(2)
		stop := s.traffic("a")
		defer stop()
		_, slaves := before.master()
		to := slaves[len(slaves)-1].ID
		s.want(operate("POST", path, object{"to": to}), 200)
		s.wantJSON(s.want(putUser("Alice"), 201), `{}`)
		after := s.awaitNewMaster(before)
		if after.Master != to {
			s.t.Errorf("switched over to %s, and the master is %s", to, after.Master)
		}
		stop()
		s.wantSame(before, s.awaitWhole(2))
	})
	s.run("to any", func(s *suite) {
		before := s.awaitWhole(2)
		stop := s.traffic("b")
		defer stop()
		s.want(operate("POST", path, object{}), 200)
		s.want(putUser("Bob"), 201)
		s.awaitNewMaster(before)
		stop()
		s.wantSame(before, s.awaitWhole(2))
	})
	s.must(operate("PUT", "/api/v1/cluster/slaves", object{"auto": true}), 200)
}

// awaitNewMaster waits for another master than there was, and a higher epoch.
func (s *suite) awaitNewMaster(before topology) topology {
	s.t.Helper()
	var now topology
	s.eventually(func() string {
		now = s.topology()
		if master, _ := now.master(); master.ID == "" || master.ID == before.Master || now.Epoch <= before.Epoch {
			return fmt.Sprintf("the master was %s of epoch %d, and is %s of epoch %d", before.Master, before.Epoch, now.Master, now.Epoch)
		}
		return ""
	})
	return now
}

// wantSame checks that the workers are the same ones: none was killed.
func (s *suite) wantSame(before, after topology) {
	s.t.Helper()
	pids := func(t topology) (pids []int) {
		for _, w := range t.Workers {
			pids = append(pids, w.PID)
		}
		slices.Sort(pids)
		return pids
	}
	if !slices.Equal(pids(before), pids(after)) {
		s.t.Errorf("a planned change of master changed the workers from %v to %v", pids(before), pids(after))
	}
}

// testCrash: workers are killed, and nobody but the operator notices.
func testCrash(s *suite) {
	for i, role := range []string{"master", "slave", "master"} {
		s.run(fmt.Sprintf("%d: %s", i+1, role), func(s *suite) {
			s.clear("alice", "bob")
			before := s.fix(2)
			keyed := postRide(newRide("alice")).with(idempotencyKey, fmt.Sprintf("crash-%d-%d", i, before.Epoch))
			created := s.must(keyed, 201)
			master, slaves := before.master()
			victim := master.PID
			if role == "slave" {
				victim = slaves[len(slaves)-1].PID // the highest
			}
			listed := s.workers()
			stop := s.traffic("c")
			defer stop()
			killed := decode[[]string](s, s.must(operate("POST", "/api/v1/crash/"+role, nil), 200))
			if len(killed) != 1 || killed[0] != strconv.Itoa(victim) || !slices.Contains(listed, victim) {
				s.t.Errorf("POST /api/v1/crash/%s: killed %q, want [\"%d\"]; the list was %v", role, killed, victim, listed)
			}
			// Plain requests, at once.
			s.wantJSON(s.want(putUser("Alice"), 201), `{}`)
			s.wantJSON(s.want(get("/api/v1/users?limit=3"), 200), `["Alice","alice","bob"]`)
			s.wantJSON(s.want(keyed, 201), string(created.body))
			s.wantJSON(s.want(get("/api/v1/rides/count"), 200), `[1]`)
			if role == "master" {
				s.awaitNewMaster(before)
			}
			s.awaitReplaced(victim, len(listed))
			stop()
			after := s.awaitWhole(2)
			if len(after.Recoveries) == 0 {
				s.t.Errorf("GET /api/v1/cluster after a crash: no recoveries")
			}
			s.want(deleteUser("Alice"), 200)
			s.wantJSON(s.want(getRide(1), 200), details(1, "alice"))
		})
	}
	s.must(operate("PUT", "/api/v1/cluster/slaves", object{"auto": true}), 200)
}

// awaitReplaced waits until the list has as many workers as before, and not the victim.
func (s *suite) awaitReplaced(victim, n int) {
	s.t.Helper()
	s.eventually(func() string {
		if pids := s.workers(); slices.Contains(pids, victim) || len(pids) != n || !slices.IsSorted(pids) {
			return fmt.Sprintf("GET /api/v1/worker/list: %v; want %d, without %d", pids, n, victim)
		}
		return ""
	})
}
