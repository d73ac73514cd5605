package apitest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// write is the request that writes the ops, read the one that reads the queries, at level strong.
func write(ops ...object) request {
	return request{method: "POST", path: "/api/v1/db/write", body: object{"ops": ops}, as: operator}
}

func read(queries ...object) request {
	return request{method: "POST", path: "/api/v1/db/read", body: object{"queries": queries, "consistency": "strong"}, as: operator}
}

func where(column, op string, value any) object {
	return object{"column": column, "op": op, "value": value}
}

// insertUser and insertRide are ops.
func insertUser(username string) object {
	return object{"insert": "users", "values": object{"username": username, "password_hash": "x"}}
}

func insertRide(by string, source int) object {
	return object{"insert": "rides", "values": object{"ride_id": object{"$next": "rides"}, "created_by": by,
		"source": source, "destination": 100, "departs_at": "2095-01-02T03:04:05Z"}}
}

// results is the body of an answer of the database.
type results struct {
	Results  json.RawMessage
	Position string
}

// wantAnswer checks the results, and that there is a position.
func (s *suite) wantAnswer(r request, wanted string) {
	s.t.Helper()
	a := s.want(r, 200)
	body := decode[results](s, a)
	var got, want any
	if err := json.Unmarshal([]byte(wanted), &want); err != nil {
		s.t.Fatalf("the wanted results %s: %v", wanted, err)
	}
	if err := json.Unmarshal(body.Results, &got); err != nil || !reflect.DeepEqual(got, want) {
		s.t.Errorf("%v; want results %s", a, wanted)
	}
	if !position.MatchString(body.Position) {
		s.t.Errorf("%v; position %q, want epoch.seq", a, body.Position)
	}
}

// wantResults reads one query.
func (s *suite) wantResults(query object, wanted string) {
	s.t.Helper()
	s.wantAnswer(read(query), wanted)
}

// wantRefused checks a 409: its kind and the index of the op.
func (s *suite) wantRefused(r request, kind string, op int) {
	s.t.Helper()
	a := s.want(r, 409)
	problem := decode[object](s, a)
	if index, ok := problem["op"].(float64); !ok || int(index) != op || problem["kind"] != kind {
		s.t.Errorf("%v; want kind %s and op %d", a, kind, op)
	}
}

// testClear: every table is empty, and numbers start at 1.
func testClear(s *suite) {
	s.clear("alice", "bob")
	for range 3 {
		ride := s.addRide("alice")
		s.must(join(ride, "bob"), 200)
	}
	clearing := request{method: "POST", path: "/api/v1/db/clear", as: operator}
	s.cases(
		testCase{name: "clear", request: clearing, status: 200, body: `{}`},
		testCase{name: "no users", request: get("/api/v1/users"), status: 204},
		testCase{name: "no rides", request: get("/api/v1/rides/count"), status: 200, body: `[0]`},
		testCase{name: "nothing upcoming", request: upcoming(1, 2), status: 204},
		testCase{name: "nothing at all", request: read(object{"table": "users", "count": true}, object{"table": "rides", "count": true}, object{"table": "riders", "count": true}), status: 200,
			check: func(s *suite, a answer) {
				if got := string(decode[results](s, a).Results); got != `[{"count":0},{"count":0},{"count":0}]` {
					s.t.Errorf("%v; want three counts of 0", a)
				}
			}},
		testCase{name: "again", request: clearing, status: 200, body: `{}`},
	)
	s.clear("alice")
	if ride := s.addRide("alice"); ride != 1 {
		s.t.Errorf("after clearing, the first ride is %d, want 1", ride)
	}
}

// testWrite: the ops of a write, which happen together or not at all.
func testWrite(s *suite) {
	s.clear()
	is := func(column string, value any) []any { return []any{where(column, "=", value)} }
	s.run("insert", func(s *suite) {
		s.wantAnswer(write(insertUser("alice")), `[{"rows":1}]`)
		s.wantAnswer(write(insertUser("bob"), insertUser("carol")), `[{"rows":1},{"rows":1}]`)
	})
	s.run("$next", func(s *suite) {
		s.wantAnswer(write(insertRide("alice", 1)), `[{"rows":1,"values":{"ride_id":1}}]`)
		s.wantAnswer(write(insertRide("bob", 2), insertRide("bob", 3)), `[{"rows":1,"values":{"ride_id":2}},{"rows":1,"values":{"ride_id":3}}]`)
	})
	s.run("$now", func(s *suite) {
		now := insertRide("alice", 4)
		now["values"].(object)["departs_at"] = object{"$now": true}
		body := decode[struct {
			Results []struct {
				Values struct {
					RideID    int64     `json:"ride_id"`
					DepartsAt time.Time `json:"departs_at"`
				}
			}
		}](s, s.must(write(now), 200))
		at := body.Results[0].Values.DepartsAt
		if off := time.Since(at).Abs(); off > time.Hour {
			s.t.Errorf("$now is %v, which is off by %v", at, off)
		}
		s.wantResults(object{"table": "rides", "columns": []any{"source"}, "where": is("departs_at", at)}, `[{"rows":[{"source":4}]}]`)
	})
	s.run("update", func(s *suite) {
		s.wantAnswer(write(object{"update": "rides", "set": object{"source": 9, "destination": 8}, "where": is("created_by", "bob")}), `[{"rows":2}]`)
		s.wantAnswer(write(object{"update": "rides", "set": object{"source": 9}, "where": is("ride_id", 77)}), `[{"rows":0}]`)
		s.wantAnswer(write(object{"update": "rides", "set": object{"source": 9}, "where": is("ride_id", 2), "expect": 1}), `[{"rows":1}]`)
		s.wantResults(object{"table": "rides", "count": true, "where": is("source", 9)}, `[{"count":2}]`)
	})
	s.run("check", func(s *suite) {
		s.wantAnswer(write(object{"check": "users", "where": is("username", "alice"), "expect": 1}), `[{"rows":1}]`)
		s.wantAnswer(write(object{"check": "users", "where": is("username", "x"), "expect": 0}), `[{"rows":0}]`)
	})
	s.run("409", func(s *suite) {
		s.wantRefused(write(insertUser("alice")), "duplicate", 0)
		s.wantRefused(write(insertUser("dave"), insertUser("erin"), insertUser("dave")), "duplicate", 2)
		s.wantRefused(write(insertUser("dave"), insertRide("nobody", 1)), "foreign_key", 1)
		s.wantRefused(write(insertUser("dave"), object{"check": "users", "where": is("username", "x"), "expect": 1}), "expectation", 1)
		s.wantRefused(write(insertUser("dave"), insertUser("erin"), object{"delete": "users", "where": is("username", "alice"), "expect": 2}), "expectation", 2)
		s.wantRefused(write(object{"update": "rides", "set": object{"source": 1}, "where": is("created_by", "bob"), "expect": 1}), "expectation", 0)
		s.wantResults(object{"table": "users", "columns": []any{"username"}, "order_by": order("username")},
			`[{"rows":[{"username":"alice"},{"username":"bob"},{"username":"carol"}]}]`)
	})
	s.run("all ops see those before them", func(s *suite) {
		s.wantAnswer(write(insertUser("erin"), object{"check": "users", "where": is("username", "erin"), "expect": 1},
			object{"delete": "users", "where": is("username", "erin"), "expect": 1}, insertUser("erin")), `[{"rows":1},{"rows":1},{"rows":1},{"rows":1}]`)
	})
	s.run("delete, and what refers to it", func(s *suite) {
		s.wantAnswer(write(object{"insert": "riders", "values": object{"ride_id": 2, "username": "alice", "joined": 1}}), `[{"rows":1}]`)
		s.wantAnswer(write(object{"delete": "users", "where": is("username", "bob")}), `[{"rows":1}]`)
		s.wantAnswer(read(object{"table": "rides", "count": true, "where": is("created_by", "bob")}, object{"table": "riders", "count": true}), `[{"count":0},{"count":0}]`)
		s.wantAnswer(write(object{"delete": "users", "where": is("username", "bob")}), `[{"rows":0}]`)
	})
	s.run("text is data", func(s *suite) {
		name := `'); DROP TABLE users; -- "%_\ ` + "🚕\u2028"
		s.wantAnswer(write(insertUser(name)), `[{"rows":1}]`)
		quoted, _ := json.Marshal(name)
		s.wantResults(object{"table": "users", "columns": []any{"username"}, "where": is("username", name)}, fmt.Sprintf(`[{"rows":[{"username":%s}]}]`, quoted))
	})
}
