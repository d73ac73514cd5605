package apitest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// testUsers: signing up, listing, removing.
func testUsers(s *suite) {
	s.clear()
	bob := putUser("bob")
	s.cases(
		testCase{name: "none", request: get("/api/v1/users"), status: 204},
		testCase{name: "created", request: bob, status: 201, body: `{}`},
		testCase{name: "exists", request: bob, status: 400},
		testCase{name: "exists, with another password", request: request{method: "PUT", path: "/api/v1/users",
			body: object{"username": "bob", "password": strings.Repeat("0", 40)}}, status: 400},
		testCase{name: "one", request: get("/api/v1/users"), status: 200, body: `["bob"]`},
		testCase{name: "created before it in the alphabet", request: putUser("alice"), status: 201, body: `{}`},
		testCase{name: "case counts", request: putUser("Bob"), status: 201, body: `{}`},
		testCase{name: "created after it", request: putUser("carol"), status: 201, body: `{}`},
		testCase{name: "sorted", request: get("/api/v1/users"), status: 200, body: `["Bob","alice","bob","carol"]`},
		testCase{name: "first page", request: get("/api/v1/users?limit=2"), status: 200, body: `["Bob","alice"]`},
		testCase{name: "second page", request: get("/api/v1/users?limit=2&after=alice"), status: 200, body: `["bob","carol"]`},
		testCase{name: "after the last", request: get("/api/v1/users?limit=2&after=carol"), status: 204},
		testCase{name: "after one that is not there", request: get("/api/v1/users?after=b"), status: 200, body: `["bob","carol"]`},
		testCase{name: "larger page than there is", request: get("/api/v1/users?limit=1000"), status: 200, body: `["Bob","alice","bob","carol"]`},
		testCase{name: "negative limit", request: get("/api/v1/users?limit=-1"), status: 400},
		testCase{name: "limit is text", request: get("/api/v1/users?limit=two"), status: 400},
		testCase{name: "limit is huge", request: get("/api/v1/users?limit=99999999999999999999"), status: 400},
		testCase{name: "no such user to delete", request: deleteUser("nobody").by("bob"), status: unknownUser(s)},
		testCase{name: "delete", request: deleteUser("bob"), status: 200, body: `{}`},
		testCase{name: "delete again", request: deleteUser("bob"), status: deletedUser(s)},
		testCase{name: "the others are there", request: get("/api/v1/users"), status: 200, body: `["Bob","alice","carol"]`},
		testCase{name: "created again", request: bob, status: 201, body: `{}`},
	)
}

// unknownUser is the status of deleting a user that does not exist with another's token: where
// tokens are asked for it is another's, else it is no such user.
func unknownUser(s *suite) int {
	if s.target.Auth {
		return 403
	}
	return 400
}

// deletedUser is the status of deleting a user a second time: where tokens are asked for, the user's own
// has ended with the first.
func deletedUser(s *suite) int {
	if s.target.Auth {
		return 401
	}
	return 400
}

// testUsernames: 1 to 128 characters of UTF-8, any but control characters and '/'.
func testUsernames(s *suite) {
	s.clear("other")
	others := s.addRide("other")
	for name, username := range map[string]string{
		"1 character": "a", "128 characters": strings.Repeat("x", 128), "128 characters of 4 bytes": strings.Repeat("🚕", 128),
		"space in it": "a b", "no-break space": "a\u00a0b",
		"SQL": `Robert'); DROP TABLE users;--`, "SQL that is always true": `' OR '1'='1`, "LIKE": "%_%", "placeholder": "?1 $1 :a @a",
		"quotes": `'"` + "`", "backslash": `\`, "backslash and n": `a\nb`, "dots": "...", "dots before": "..a",
		"percent": "100%", "percent-encoded slash": "a%2Fb", "question mark": "a?b=c&d", "hash": "#1", "plus": "a+b", "semicolon": "a;b",
		"HTML": "<b>&amp;<br>", "JSON": `{"username":"x"}`, "null": "null", "number": "0", "a word of the API": "count",
		"composed": "é", "right to left": "שלום", "CJK": "乗車", "flag": "🇩🇪", "compatibility character": "ﬁ",
		"replacement character": "\ufffd", "line separator": "a\u2028b", "largest code point": "\U0010fffd",
	} {
		s.run(name, func(s *suite) { s.usableName(username, others) })
	}
	for name, username := range map[string]string{
		"empty": "", "129 characters": strings.Repeat("x", 129), "129 characters of 4 bytes": strings.Repeat("🚕", 129),
		"10,000 characters": strings.Repeat("x", 10_000), "slash": "a/b", "only a slash": "/",
		// No URL carries these: see docs/decisions/0005.
		"a dot": ".", "two dots": "..",
		"NUL": "a\x00b", "newline": "a\nb",
		// Names that look like other names: see docs/decisions/0021.
		"only a space": " ", "leading space": " alice", "trailing space": "alice ", "no-break space at the end": "alice\u00a0", "wide space": "\u3000alice",
		"zero width": "a\u200bb", "zero-width joiner": "a\u200db", "soft hyphen": "a\u00adb", "right-to-left override": "a\u202eb", "byte order mark": "\ufeffalice",
		"decomposed": "e\u0301", "Ångström sign": "\u212b", "decomposed Hangul": "\u1112\u1161\u11ab",
		"newline at the end": "a\n", "tab": "\t", "escape": "\x1b[2J", "delete": "a\x7f", "C1 control": "a\u0085b", "last control": "\u009f",
	} {
		s.cases(testCase{name: "refused: " + name, request: putUser(username), status: 400})
	}
	s.clear("bob")
	for name, path := range map[string]string{
		"case counts": "Bob", "a slash": "a%2Fb", "a NUL": "%00", "a trailing space": "bob%20", "invalid UTF-8": "%FF", "129": strings.Repeat("x", 129),
	} {
		s.run("no such user: "+name, func(s *suite) {
			// With tokens, a name that nobody can have may be no such user, or another's.
			a := s.do(request{method: "DELETE", path: "/api/v1/users/" + path, as: "bob"})
			if a.status != 400 && a.status != unknownUser(s) {
				s.t.Errorf("%v; want status 400 or %d", a, unknownUser(s))
			}
		})
	}
	s.clear("bob", "Bob", "é", "ß", "ss")
	s.cases(
		testCase{name: "alike, but not the same", request: get("/api/v1/users"), status: 200, body: list("Bob", "bob", "ss", "ß", "é")},
	)
	s.run("names from before", func(s *suite) { s.oldNames() })
}

// oldNames: users whose names are refused today, for example from a restored backup, can still use them.
func (s *suite) oldNames() {
	s.clear("bob", "é", "other")
	others := s.addRide("other")
	var hash struct {
		Results []struct {
			Rows []struct {
				Hash string `json:"password_hash"`
			}
		}
	}
	a := s.must(read(object{"table": "users", "columns": []string{"password_hash"}, "where": []any{where("username", "=", "bob")}}), 200)
	if err := json.Unmarshal(a.body, &hash); err != nil || len(hash.Results) != 1 || len(hash.Results[0].Rows) != 1 {
		s.t.Fatalf("%v: %v", a, err)
	}
	for _, username := range []string{"bob ", " ", "e\u0301", "b\u200bob"} {
		s.run(fmt.Sprintf("%q", username), func(s *suite) {
			s.must(write(object{"insert": "users", "values": object{"username": username, "password_hash": hash.Results[0].Rows[0].Hash}}), 200)
			// The orchestrator wrote the user: only with the position does another function's read see it.
			session := decode[struct{ Token string }](s, s.must(signIn(username, digest).with(consistencyToken, s.session.newest()), 200))
			s.session.keep(username, session.Token)
			ride := s.addRide(username)
			s.want(join(others, username), 200)
			s.wantJSON(s.want(getRide(ride), 200), details(ride, username))
			s.want(deleteRide(ride, username), 200)
			s.want(deleteUser(username), 200)
		})
	}
	s.cases(testCase{name: "those that look like them stay", request: get("/api/v1/users"), status: 200, body: list("bob", "other", "é")})
}

// usableName goes the way of a user with that name, who joins a ride of the user other.
func (s *suite) usableName(username string, others int64) {
	s.must(putUser(username), 201)
	s.want(putUser(username), 400)
	s.signIn(username)
	ride := s.addRide(username)
	s.want(join(others, username), 200)
	details := decode[rideDetails](s, s.want(getRide(ride), 200))
	if details.CreatedBy != username {
		s.t.Errorf("ride of %q: created_by %q", username, details.CreatedBy)
	}
	s.want(deleteUser(username), 200)
	s.wantJSON(s.want(get("/api/v1/users"), 200), `["other"]`)
}

// testPasswords: 40 hex digits in either case, and nothing else.
func testPasswords(s *suite) {
	s.clear()
	mixed := "E5e9FA1ba31ecd1ae84f75caaa474f3a663f05F4"
	for name, password := range map[string]string{"lower": digest, "upper": strings.ToUpper(digest), "mixed": mixed, "digits": strings.Repeat("0", 40)} {
		s.run(name, func(s *suite) {
			s.want(request{method: "PUT", path: "/api/v1/users", body: object{"username": name, "password": password}}, 201)
			s.want(signIn(name, password), 200)
			s.want(signIn(name, strings.ToLower(password)), 200)
			s.want(signIn(name, strings.ToUpper(password)), 200)
		})
	}
	for name, password := range map[string]any{
		"empty": "", "39": digest[1:], "41": digest + "0", "80": digest + digest, "0x and 40": "0x" + digest, "0x and 38": "0x" + digest[2:],
		"0X": "0X" + digest[2:], "space before": " " + digest[1:], "space after": digest[1:] + " ", "space and 40": " " + digest, "newline": digest + "\n",
		"underscore": digest[:20] + "_" + digest[21:], "dashes": digest[:20] + "-" + digest[21:], "plus": "+" + digest[1:], "g": "g" + digest[1:],
		"full-width digits": strings.Repeat("０", 40), "40 bytes of others": strings.Repeat("é", 20), "NUL": digest[1:] + "\x00",
		"the password itself": "secret", "number": 1234567890, "list": []any{digest},
	} {
		s.cases(testCase{name: "refused: " + name, status: 400,
			request: request{method: "PUT", path: "/api/v1/users", body: object{"username": "refused", "password": password}}})
	}
	s.wantJSON(s.want(get("/api/v1/users"), 200), list("digits", "lower", "mixed", "upper"))
}

// testSessions: signing in.
func testSessions(s *suite) {
	s.clear("alice", "bob")
	s.cases(
		testCase{name: "right", request: signIn("alice", digest), status: 200, check: wantSession},
		testCase{name: "again", request: signIn("alice", digest), status: 200, check: wantSession},
		testCase{name: "wrong password", request: signIn("alice", strings.Repeat("0", 40)), status: 401},
		testCase{name: "no such user", request: signIn("nobody", digest), status: 401},
		testCase{name: "case of the name counts", request: signIn("Alice", digest), status: 401},
		testCase{name: "SQL", request: signIn("' OR '1'='1", digest), status: 401},
		testCase{name: "delete", request: deleteUser("bob"), status: 200},
		testCase{name: "deleted user", request: signIn("bob", digest), status: 401},
	)
}

// wantSession checks that there are a token and a time to come, and no more.
func wantSession(s *suite, a answer) {
	session := decode[struct {
		Token   string
		Expires time.Time
	}](s, a)
	fields := decode[object](s, a)
	if session.Token == "" || !session.Expires.After(time.Now()) || len(fields) != 2 {
		s.t.Errorf("%v; want a token and when it expires", a)
	}
}
