package apitest

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// order is an order_by of columns, descending where the name begins with '-'.
func order(columns ...string) []any {
	var by []any
	for _, c := range columns {
		if name, desc := strings.CutPrefix(c, "-"); desc {
			by = append(by, object{"column": name, "desc": true})
		} else {
			by = append(by, object{"column": name})
		}
	}
	return by
}

// testRead: conditions, order, limit, count, several queries, and levels of consistency.
func testRead(s *suite) {
	s.clear()
	s.must(write(insertUser("a"), insertUser("B"), insertUser("c"), insertRide("a", 3), insertRide("B", 1), insertRide("a", 2), insertRide("c", 1)), 200)
	ids := func(ids ...int) string {
		rows := []string{}
		for _, id := range ids {
			rows = append(rows, fmt.Sprintf(`{"ride_id":%d}`, id))
		}
		return `[{"rows":[` + strings.Join(rows, ",") + `]}]`
	}
	rides := func(change object) object {
		query := object{"table": "rides", "columns": []any{"ride_id"}, "order_by": order("ride_id")}
		for k, v := range change {
			query[k] = v
		}
		return query
	}
	for _, c := range []struct {
		name   string
		query  object
		wanted string
	}{
		{"all columns", object{"table": "rides", "where": []any{where("ride_id", "=", 2)}},
			`[{"rows":[{"ride_id":2,"created_by":"B","source":1,"destination":100,"departs_at":"2095-01-02T03:04:05Z"}]}]`},
		{"some columns", object{"table": "rides", "columns": []any{"source", "created_by"}, "where": []any{where("ride_id", "=", 1)}}, `[{"rows":[{"source":3,"created_by":"a"}]}]`},
		{"no rows", rides(object{"where": []any{where("ride_id", "=", 99)}}), ids()},
		{"=", rides(object{"where": []any{where("created_by", "=", "a")}}), ids(1, 3)},
		{"= by bytes", rides(object{"where": []any{where("created_by", "=", "b")}}), ids()},
		{"!=", rides(object{"where": []any{where("created_by", "!=", "a")}}), ids(2, 4)},
		{"<", rides(object{"where": []any{where("source", "<", 2)}}), ids(2, 4)},
		{"<=", rides(object{"where": []any{where("source", "<=", 2)}}), ids(2, 3, 4)},
		{">", rides(object{"where": []any{where("source", ">", 2)}}), ids(1)},
		{">=", rides(object{"where": []any{where("source", ">=", 2)}}), ids(1, 3)},
		{"in", rides(object{"where": []any{where("ride_id", "in", []any{4, 2, 77})}}), ids(2, 4)},
		{"in, of one", rides(object{"where": []any{where("created_by", "in", []any{"c"})}}), ids(4)},
		{"time before", rides(object{"where": []any{where("departs_at", "<", "2095-01-02T03:04:06Z")}}), ids(1, 2, 3, 4)},
		{"time after", rides(object{"where": []any{where("departs_at", ">", "2095-01-02T03:04:05Z")}}), ids()},
		{"time in another zone", rides(object{"where": []any{where("departs_at", "=", "2095-01-02T05:04:05+02:00")}}), ids(1, 2, 3, 4)},
		{"two conditions", rides(object{"where": []any{where("created_by", "=", "a"), where("source", ">", 2)}}), ids(1)},
		{"order", rides(object{"order_by": order("source", "ride_id")}), ids(2, 4, 3, 1)},
		{"descending", rides(object{"order_by": order("-ride_id")}), ids(4, 3, 2, 1)},
		{"both", rides(object{"order_by": order("source", "-ride_id")}), ids(4, 2, 3, 1)},
		{"text is ordered by bytes", object{"table": "users", "columns": []any{"username"}, "order_by": order("username")},
			`[{"rows":[{"username":"B"},{"username":"a"},{"username":"c"}]}]`},
		{"limit", rides(object{"limit": 2}), ids(1, 2)},
		{"limit above", rides(object{"limit": 99}), ids(1, 2, 3, 4)},
		{"limit after order", rides(object{"order_by": order("-source"), "limit": 1}), ids(1)},
		{"count", object{"table": "rides", "count": true}, `[{"count":4}]`},
		{"count of some", object{"table": "rides", "count": true, "where": []any{where("source", "=", 1)}}, `[{"count":2}]`},
		{"count of none", object{"table": "riders", "count": true}, `[{"count":0}]`},
	} {
		s.run(c.name, func(s *suite) { s.wantResults(c.query, c.wanted) })
	}
	s.run("several queries", func(s *suite) {
		s.wantAnswer(read(rides(object{"limit": 1}), object{"table": "users", "count": true}, object{"table": "riders"}),
			`[{"rows":[{"ride_id":1}]},{"count":3},{"rows":[]}]`)
	})
	s.run("levels", testLevels)
	s.run("one snapshot", testSnapshot)
}

// testLevels: strong sees every acknowledged write, session every one up to after.
func testLevels(s *suite) {
	query := []any{object{"table": "users", "count": true, "where": []any{where("username", "=", "level")}}}
	at := func(level, after string) request {
		body := object{"queries": query, "consistency": level}
		if after != "" {
			body["after"] = after
		}
		// The header would ask for more than the level does.
		return request{method: "POST", path: "/api/v1/db/read", body: body, as: operator}.with(consistencyToken, "")
	}
	remove := object{"delete": "users", "where": []any{where("username", "=", "level")}}
	for range 10 {
		for count, op := range []object{remove, insertUser("level")} {
			after := decode[results](s, s.must(write(op), 200)).Position
			wanted := fmt.Sprintf(`[{"count":%d}]`, count)
			s.wantAnswer(at("strong", ""), wanted)
			s.wantAnswer(at("session", after), wanted)
			s.want(at("eventual", ""), 200)
		}
	}
	s.eventually(func() string {
		a := s.must(at("eventual", ""), 200)
		if got := string(decode[results](s, a).Results); got != `[{"count":1}]` {
			return fmt.Sprintf("%v; want the count to become 1", a)
		}
		return ""
	})
}

// testSnapshot: all queries of a read see the same state, while others write.
func testSnapshot(s *suite) {
	ctx, stop := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		for ctx.Err() == nil {
			s.want(write(insertRide("a", 50), insertRide("a", 51)), 200)
		}
	})
	half := func(source int) object {
		return object{"table": "rides", "count": true, "where": []any{where("source", "=", source)}}
	}
	for range 50 {
		a := s.must(read(half(50), half(51)), 200)
		counts := decode[struct{ Results []struct{ Count int } }](s, a).Results
		if len(counts) != 2 || counts[0].Count != counts[1].Count {
			s.t.Fatalf("%v; each write adds one to both", a)
		}
	}
}
