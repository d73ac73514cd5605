package apitest

import (
	"fmt"
	"slices"
)

// topology is the body of GET /api/v1/cluster.
type topology struct {
	Epoch   int64
	Master  string
	Workers []worker
	Desired struct {
		Slaves, Min, Max int
		Auto             bool
	}
	Recoveries []object
}

type worker struct {
	ID, Role, State, Position, Database string
	PID, Lag, Reads                     int
}

func operate(method, path string, body any) request {
	return request{method: method, path: path, body: body, as: operator}
}

func (s *suite) topology() topology {
	s.t.Helper()
	return decode[topology](s, s.must(operate("GET", "/api/v1/cluster", nil), 200))
}

// workers returns the process ids of the workers.
func (s *suite) workers() []int {
	s.t.Helper()
	return decode[[]int](s, s.must(operate("GET", "/api/v1/worker/list", nil), 200))
}

// master returns the master, and the slaves by ascending process id.
func (t topology) master() (master worker, slaves []worker) {
	for _, w := range t.Workers {
		if w.Role == "slave" {
			slaves = append(slaves, w)
		} else if w.ID == t.Master {
			master = w
		}
	}
	slices.SortFunc(slaves, func(a, b worker) int { return a.PID - b.PID })
	return master, slaves
}

// whole returns what is missing until there are a master and the wanted number of slaves, all
// serving and at the same position, and "" then.
func (t topology) whole(slaves int) string {
	master, got := t.master()
	ok := master.Role == "master" && len(got) == slaves && len(t.Workers) == slaves+1
	for _, w := range t.Workers {
		ok = ok && w.State == "serving" && w.Database == "ok" && w.Lag == 0
	}
	if !ok {
		return fmt.Sprintf("want a master and %d slaves that serve: %+v", slaves, t)
	}
	return ""
}

// awaitWhole waits until the cluster is whole.
func (s *suite) awaitWhole(slaves int) topology {
	s.t.Helper()
	var t topology
	s.eventually(func() string {
		t = s.topology()
		return t.whole(slaves)
	})
	return t
}

// fix sets the number of slaves, so that the autoscaler does not meddle, and waits for them.
func (s *suite) fix(slaves int) topology {
	s.t.Helper()
	s.must(operate("PUT", "/api/v1/cluster/slaves", object{"count": slaves}), 200)
	return s.awaitWhole(slaves)
}

// testCluster: what the operator sees.
func testCluster(s *suite) {
	s.clear("alice")
	s.fix(2)
	s.run("fields", func(s *suite) {
		a := s.want(operate("GET", "/api/v1/cluster", nil), 200)
		fields := decode[object](s, a)
		s.wantFields(a, fields, "epoch", "master", "workers", "desired", "recoveries")
		workers, _ := fields["workers"].([]any)
		for _, w := range workers {
			w, _ := w.(object)
			s.wantFields(a, w, "id", "role", "state", "pid", "position", "lag", "database", "reads")
			if p, _ := w["position"].(string); !position.MatchString(p) {
				s.t.Errorf("%v; the position of %v is none", a, w["id"])
			}
		}
		desired, _ := fields["desired"].(object)
		s.wantFields(a, desired, "slaves")
		if len(workers) != 3 || desired["slaves"] != 2.0 {
			s.t.Errorf("%v; want 3 workers, and 2 slaves desired", a)
		}
	})
	s.run("the list has the process ids, ascending", func(s *suite) {
		var wanted []int
		for _, w := range s.topology().Workers {
			wanted = append(wanted, w.PID)
		}
		slices.Sort(wanted)
		if got := s.workers(); !slices.Equal(got, wanted) || len(slices.Compact(got)) != 3 || got[0] < 1 {
			s.t.Errorf("GET /api/v1/worker/list: %v, want %v", got, wanted)
		}
	})
	s.run("positions grow with writes", func(s *suite) {
		wanted := s.must(putUser("bob"), 201).header.Get(consistencyToken)
		s.eventually(func() string {
			for _, w := range s.topology().Workers {
				if w.Position != wanted {
					return fmt.Sprintf("%s is at %s, want %s", w.ID, w.Position, wanted)
				}
			}
			return ""
		})
	})
}

func (s *suite) wantFields(a answer, got object, names ...string) {
	s.t.Helper()
	for _, name := range names {
		if got[name] == nil {
			s.t.Errorf("%v; want a field %s", a, name)
		}
	}
}

// testSlaves: how many slaves there should be.
func testSlaves(s *suite) {
	s.clear("alice")
	desired := s.topology().Desired
	path := "/api/v1/cluster/slaves"
	for name, body := range map[string]any{
		"neither": object{}, "both": object{"count": 2, "auto": true}, "0": object{"count": 0}, "-1": object{"count": -1},
		"one too many": object{"count": desired.Max + 1}, "a million": object{"count": 1_000_000}, "1e30": object{"count": 1e30},
		"1.5": object{"count": 1.5}, "text": object{"count": "2"}, "auto is text": object{"auto": "true"}, "null": object{"count": nil},
		"unknown field": object{"count": 2, "now": true},
	} {
		s.cases(testCase{name: "refused: " + name, request: operate("PUT", path, body), status: 400})
	}
	if now := s.topology().Desired; now != desired {
		s.t.Errorf("what was refused changed what is desired from %+v to %+v", desired, now)
	}
	for _, count := range []int{3, 1, 2} {
		s.run(fmt.Sprintf("count %d", count), func(s *suite) {
			t := s.fix(count)
			if t.Desired.Slaves != count || t.Desired.Auto {
				s.t.Errorf("desired %+v, want %d, not automatic", t.Desired, count)
			}
			s.eventually(func() string {
				if pids := s.workers(); len(pids) != count+1 {
					return fmt.Sprintf("GET /api/v1/worker/list: %v, want %d", pids, count+1)
				}
				return ""
			})
			s.wantJSON(s.want(get("/api/v1/users"), 200), `["alice"]`)
		})
	}
	s.run("auto", func(s *suite) {
		s.want(operate("PUT", path, object{"auto": true}), 200)
		if now := s.topology().Desired; !now.Auto {
			s.t.Errorf("desired %+v, want it automatic", now)
		}
	})
}
