package apitest

import "strings"

// testRefusals: a request of the database that the schema does not allow is a 400 that names what
// is wrong.
func testRefusals(s *suite) {
	s.clear("alice")
	ride := func(column string, value ...any) object {
		return object{"insert": "rides", "values": except(insertRide("alice", 1)["values"].(object), column, value...)}
	}
	is := func(column string, value any) []any { return []any{where(column, "=", value)} }
	writes := []struct {
		name, names string // what the answer has to name
		op          object
	}{
		{"unknown table to insert", "cars", object{"insert": "cars", "values": object{"a": 1}}},
		{"unknown table to update", "cars", object{"update": "cars", "set": object{"a": 1}, "where": is("a", 1)}},
		{"unknown table to delete", "cars", object{"delete": "cars", "where": is("a", 1)}},
		{"unknown table to check", "cars", object{"check": "cars", "where": is("a", 1), "expect": 1}},
		{"table of another case", "Users", object{"delete": "Users", "where": is("username", "x")}},
		{"table of the replica", "state", object{"delete": "state", "where": is("epoch", 1)}},
		{"table of sequences", "sequences", object{"update": "sequences", "set": object{"value": 1}, "where": is("name", "rides")}},
		{"SQL for a table", "users; DROP", object{"delete": "users; DROP TABLE users", "where": is("username", "x")}},
		{"unknown column", "admin", ride("admin", true)},
		{"SQL for a column", "1=1", object{"delete": "users", "where": is("1=1 OR username", "x")}},
		{"unknown column in set", "admin", object{"update": "users", "set": object{"admin": 1}, "where": is("username", "x")}},
		{"unknown column in where", "admin", object{"delete": "users", "where": is("admin", 1)}},
		{"missing column", "source", ride("source")},
		{"text for a number", "source", ride("source", "x")},
		{"fraction for a number", "source", ride("source", 1.5)},
		{"too large a number", "source", ride("source", 1e20)},
		{"number for text", "created_by", ride("created_by", 7)},
		{"null", "created_by", ride("created_by", nil)},
		{"object", "created_by", ride("created_by", object{"$eval": "x"})},
		{"list", "source", ride("source", []any{1})},
		{"no time", "departs_at", ride("departs_at", "tomorrow")},
		{"time of the public API", "departs_at", ride("departs_at", "01-01-2030:00-00-00")},
		{"number for a time", "departs_at", ride("departs_at", 1893456000)},
		{"unknown sequence", "cars", ride("ride_id", object{"$next": "cars"})},
		{"$now for text", "created_by", ride("created_by", object{"$now": true})},
		{"$now for a number", "source", ride("source", object{"$now": true})},
		{"$next for text", "created_by", ride("created_by", object{"$next": "rides"})},
		{"wrong type in where", "where[0].value", object{"delete": "rides", "where": is("ride_id", "x")}},
		{"unknown comparison", "where[0].op", object{"delete": "users", "where": []any{where("username", "like", "%")}}},
		{"in without a list", "where[0].value", object{"delete": "users", "where": []any{where("username", "in", "x")}}},
		{"in an empty list", "where[0].value", object{"delete": "users", "where": []any{where("username", "in", []any{})}}},
		{"list without in", "where[0].value", object{"delete": "users", "where": is("username", []any{"x"})}},
		{"two verbs", "ops[0]", object{"insert": "users", "delete": "users", "values": object{"username": "x", "password_hash": "x"}}},
		{"no verb", "ops[0]", object{"where": is("username", "x")}},
		{"unknown verb", "drop", object{"drop": "users"}},
		{"a column twice", "values", object{"insert": "users", "values": rawJSON(`{"username":"x","password_hash":"x","username":"y"}`)}},
		{"half of a surrogate pair", "surrogate", object{"insert": "users", "values": rawJSON(`{"username":"x\ud800","password_hash":"x"}`)}},
		{"clear is another path", "clear", object{"clear": true}},
		{"migrations are the system's", "migrate", object{"migrate": 2}},
		{"check without expect", "expect", object{"check": "users", "where": is("username", "alice")}},
		{"expect is negative", "expect", object{"check": "users", "where": is("username", "alice"), "expect": -1}},
		{"expect is text", "expect", object{"check": "users", "where": is("username", "alice"), "expect": "1"}},
		{"verb of another case", "INSERT", object{"INSERT": "users", "values": object{"username": "x", "password_hash": "x"}}},
		{"values of another case", "VALUES", object{"insert": "users", "VALUES": object{"username": "x", "password_hash": "x"}}},
		{"column of another case", "Username", object{"insert": "users", "values": object{"Username": "x", "password_hash": "x"}}},
		{"condition of another case", "COLUMN", object{"delete": "users", "where": []any{object{"COLUMN": "username", "op": "=", "value": "x"}}}},
		{"unknown field of a condition", "not", object{"delete": "users", "where": []any{object{"column": "username", "op": "=", "value": "x", "not": true}}}},
		{"unknown field of an op", "returning", object{"delete": "users", "where": is("username", "x"), "returning": "*"}},
		{"insert without values", "values", object{"insert": "users"}},
		{"update without set", "set", object{"update": "users", "where": is("username", "alice")}},
	}
	for _, w := range writes {
		s.run("write: "+w.name, func(s *suite) { s.wantNamed(write(w.op), w.names) })
	}
	s.run("write: the second op", func(s *suite) {
		s.wantNamed(write(insertUser("bob"), object{"delete": "cars", "where": is("a", 1)}), "ops[1]")
	})
	s.run("write: no ops", func(s *suite) { s.wantNamed(write(), "ops") })
	users := func(field string, value any) object { return object{"table": "users", field: value} }
	reads := []struct {
		name, names string
		query       object
	}{
		{"unknown table", "cars", object{"table": "cars"}},
		{"no table", "table", object{"count": true}},
		{"table of the replica", "replies", object{"table": "replies"}},
		{"unknown column", "admin", users("columns", []any{"admin"})},
		{"SQL for a column", "count(*)", users("columns", []any{"count(*)"})},
		{"unknown column in where", "admin", users("where", is("admin", 1))},
		{"unknown column in order_by", "admin", users("order_by", order("admin"))},
		{"SQL in order_by", "username; DROP", users("order_by", order("username; DROP TABLE users"))},
		{"wrong type", "where[0].value", users("where", is("username", 7))},
		{"null", "where[0].value", users("where", is("username", nil))},
		{"unknown comparison", "where[0].op", users("where", []any{where("username", "<>", "x")})},
		{"negative limit", "limit", users("limit", -1)},
		{"limit is text", "limit", users("limit", "1")},
		{"count is text", "count", users("count", "yes")},
		{"field of another case", "LIMIT", users("LIMIT", 1)},
		{"column of another case", "Username", users("columns", []any{"Username"})},
		{"unknown field of order_by", "nulls", users("order_by", []any{object{"column": "username", "nulls": "last"}})},
		{"unknown field", "group_by", users("group_by", []any{"username"})},
		{"$now in where", "where[0].value", object{"table": "rides", "where": is("departs_at", object{"$now": true})}},
	}
	for _, r := range reads {
		s.run("read: "+r.name, func(s *suite) { s.wantNamed(read(r.query), r.names) })
	}
	s.run("read: no queries", func(s *suite) { s.wantNamed(read(), "queries") })
	s.run("read: unknown level", func(s *suite) {
		s.wantNamed(request{method: "POST", path: "/api/v1/db/read", as: operator,
			body: object{"queries": []any{object{"table": "users"}}, "consistency": "some"}}, "consistency")
	})
	s.cases(testCase{name: "nothing has changed", request: get("/api/v1/users"), status: 200, body: `["alice"]`})
}

// wantNamed checks that the answer is a 400 whose text names what is wrong.
func (s *suite) wantNamed(r request, name string) {
	s.t.Helper()
	a := s.want(r, 400)
	var texts []string
	for field, value := range decode[object](s, a) {
		if text, ok := value.(string); ok && field != "title" {
			texts = append(texts, text)
		}
	}
	if !strings.Contains(strings.Join(texts, "\n"), name) {
		s.t.Errorf("%v; want it to name %s", a, name)
	}
}
