package apitest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// valid returns, for each route that takes a body, a request that succeeds if it is sent to a
// database with the user alice and the ride 1 of another user. The rows of a table break it.
func valid() []request {
	return []request{
		{method: "PUT", path: "/api/v1/users", body: credentials("new")},
		{method: "POST", path: "/api/v1/sessions", body: credentials("alice")},
		{method: "POST", path: "/api/v1/rides", body: newRide("alice"), as: "alice"},
		{method: "POST", path: "/api/v1/rides/1", body: object{"username": "alice"}, as: "alice"},
		{method: "POST", path: "/api/v1/db/write", as: operator, body: object{"ops": []any{object{"delete": "users", "where": []any{where("username", "=", "new")}}}}},
		{method: "POST", path: "/api/v1/db/read", as: operator, body: object{"queries": []any{object{"table": "users"}}}},
		{method: "PUT", path: "/api/v1/cluster/slaves", as: operator, body: object{"count": 2}},
		{method: "POST", path: "/api/v1/cluster/switchover", as: operator, body: object{}},
	}
}

// testBodies: whatever is no JSON object of the right fields and types is a 400, and changes
// nothing.
func testBodies(s *suite) {
	s.clear("alice", "bob")
	s.addRide("bob")
	const levels = 100_000
	malformed := []struct{ name, body string }{
		{"empty", ""},
		{"space", " \n\t"},
		{"null", "null"},
		{"true", "true"},
		{"number", "7"},
		{"string", `"alice"`},
		{"empty array", "[]"},
		{"array of objects", "[{}]"},
		{"truncated", `{"username":"alice"`},
		{"truncated string", `{"username":"ali`},
		{"only a brace", "{"},
		{"comma at the end", `{"username":"alice",}`},
		{"single quotes", `{'username':'alice'}`},
		{"comment", "{} // none"},
		{"two values", "{}{}"},
		{"two values on lines", "{}\n{}"},
		{"text after it", "{} x"},
		{"byte order mark", "\ufeff{}"},
		{"NUL", "\x00"},
		{"NUL after it", "{}\x00"},
		{"invalid UTF-8", "{\"username\":\"\xff\xfe\"}"},
		{"invalid UTF-8 in a name", "{\"\xc3\x28\":1}"},
		{"form", "username=alice&password=x"},
		{"deep arrays", strings.Repeat("[", levels) + strings.Repeat("]", levels)},
		{"deep arrays, truncated", strings.Repeat("[", levels)},
		{"deep objects", strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels)},
		{"deep in a field", `{"username":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "}"},
		{"a member twice, deep inside", `{"username":{"a":[{"b":1,"b":1}]}}`},
		{"half of a surrogate pair in a name", `{"\ud800":1}`},
		{"unknown field", `{"nothing":1}`},
		{"large number", `{"username":1e999999999}`},
	}
	for _, r := range valid() {
		s.run(r.String(), func(s *suite) {
			for _, m := range malformed {
				bad := r
				bad.body = m.body
				s.cases(testCase{name: m.name, request: bad, status: http.StatusBadRequest})
			}
			s.cases(fieldCases(r)...)
		})
	}
	s.cases(
		testCase{name: "no user was created", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`},
		testCase{name: "no ride was created", request: get("/api/v1/rides/count"), status: 200, body: `[1]`},
	)
}

// fieldCases are those that break one field of a valid body: missing, null, of each other type,
// with another case; and those with a field too many.
func fieldCases(r request) []testCase {
	o := r.body.(object)
	var cases []testCase
	add := func(name string, body any) {
		bad := r
		bad.body = body
		cases = append(cases, testCase{name: name, request: bad, status: http.StatusBadRequest})
	}
	add("one more field", except(o, "admin", true))
	add("one more field, empty name", except(o, "", 1))
	for field, value := range o {
		add(field+" twice", prefixed(field, value, o))
		add(field+" twice, once escaped", prefixed(fmt.Sprintf(`\u%04x`, field[0])+field[1:], value, o))
		if text, ok := value.(string); ok {
			add(field+" with half of a surrogate pair", prefixed(field, rawJSON(`"`+text+`\ud800"`), except(o, field)))
		}
		add(field+" missing", except(o, field))
		add(field+" null", except(o, field, nil))
		add(field+" true", except(o, field, true))
		add(field+" object", except(o, field, object{}))
		add(field+" list", except(o, field, []any{value, 1}))
		add(field+" 1.5", except(o, field, 1.5))
		if _, text := value.(string); text {
			add(field+" number", except(o, field, 12345))
			add(field+" empty", except(o, field, ""))
		} else {
			add(field+" text", except(o, field, "x"))
		}
		add(field+" in another case", except(except(o, field), strings.ToUpper(field), value))
	}
	return cases
}

// prefixed returns the JSON of an object that has one member more, at its beginning. The name is
// written as it is.
func prefixed(name string, value any, o object) string {
	member, err := json.Marshal(value)
	if err != nil {
		panic(err) // it is of this package
	}
	rest, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	text := fmt.Sprintf(`{"%s":%s,%s`, name, member, rest[1:])
	return strings.Replace(text, ",}", "}", 1)
}

type rawJSON = json.RawMessage

// testEncoded: nothing decodes a body, so an encoded one is a 415.
func testEncoded(s *suite) {
	s.clear("alice", "bob")
	s.addRide("bob")
	for _, r := range valid() {
		for _, coding := range []string{"gzip", "br", "identity, gzip"} {
			s.cases(testCase{name: coding + ", " + r.String(), request: r.with("Content-Encoding", coding), status: 415,
				check: func(s *suite, a answer) {
					if a.header.Get("Accept-Encoding") != "identity" {
						s.t.Errorf("%v; Accept-Encoding %q, want identity", a, a.header.Get("Accept-Encoding"))
					}
				}})
		}
	}
	s.cases(
		testCase{name: "no user was created", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`},
		testCase{name: "identity", request: putUser("plain").with("Content-Encoding", "identity"), status: 201, body: `{}`},
	)
}

// testQueries: a parameter that appears twice is a 400, also one that means nothing.
func testQueries(s *suite) {
	s.clear("alice", "bob")
	for _, path := range []string{
		"/api/v1/users?limit=1&limit=1", "/api/v1/users?limit=1&limit=2", "/api/v1/users?limit=1&after=alice&after=bob", "/api/v1/users?limit=1&%6Cimit=2",
		"/api/v1/users?x=1&x=2", "/api/v1/users?x&x",
		"/api/v1/rides?source=1&destination=2&source=1", "/api/v1/rides?source=1&source=3&destination=2",
		"/api/v1/rides/1?x=1&x=2", "/api/v1/rides/count?x=1&x=2",
	} {
		s.cases(testCase{name: path, request: get(path), status: 400})
	}
	s.cases(
		testCase{name: "a write", request: request{method: "PUT", path: "/api/v1/users?x=1&x=2", body: credentials("carol")}, status: 400},
		testCase{name: "once each", request: get("/api/v1/users?limit=1&after=alice&x=1&y=1"), status: 200, body: `["bob"]`},
	)
}

// limit is the largest body.
const limit = 1 << 20

// testSizes: a body of more than 1 MiB is a 413, however it is sent.
func testSizes(s *suite) {
	s.clear("alice", "bob")
	s.addRide("bob")
	spaces := func(n int) string { return strings.Repeat(" ", n) }
	for _, r := range valid() {
		s.run(r.String(), func(s *suite) {
			sized := func(body any) request { r := r; r.body = body; return r }
			s.cases(
				testCase{name: "1 MiB + 1", request: sized(spaces(limit-1) + "{}"), status: 413},
				testCase{name: "1 MiB + 1 of text", request: sized(`{"username":"` + strings.Repeat("a", limit+1-15) + `"}`), status: 413},
				testCase{name: "1 MiB + 1 chunked", request: sized(chunked(spaces(limit-1) + "{}")), status: 413},
				testCase{name: "1 MiB of nonsense", request: sized(strings.Repeat("x", limit)), status: 400},
			)
		})
	}
	const large = 10_000_000
	for _, r := range valid()[:3] {
		s.cases(
			testCase{name: "10 MB, " + r.String(), request: request{method: r.method, path: r.path, as: r.as, body: strings.Repeat("x", large)}, status: 413},
			testCase{name: "10 MB chunked, " + r.String(), request: request{method: r.method, path: r.path, as: r.as, body: chunked(spaces(large))}, status: 413},
		)
	}
	s.cases(testCase{name: "10 MB, where there is no body", status: 413,
		request: request{method: "DELETE", path: "/api/v1/users/alice", as: "alice", body: strings.Repeat("x", large)}})
	exact := `{"username":"exact","password":"` + digest + `"}`
	exact += spaces(limit - len(exact))
	s.cases(
		testCase{name: "1 MiB that is a user", request: request{method: "PUT", path: "/api/v1/users", body: exact}, status: 201, body: `{}`},
		testCase{name: "nothing else was created", request: get("/api/v1/users"), status: 200, body: `["alice","bob","exact"]`},
	)
}

// chunked is a body whose length is not told, so that it is sent in chunks.
type chunked string

func (c chunked) reader() io.Reader { return struct{ io.Reader }{strings.NewReader(string(c))} }
