package apitest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// example returns a request of alice's for a route, with a body that succeeds. A ride of hers is
// ride, one of bob's is other.
func (r route) example(ride, other int64) request {
	id := ride
	if r.method == "POST" || strings.Contains(r.path, "/riders/") {
		id = other // she joins it, and leaves it
	}
	e := request{method: r.method, path: fill(r.path, "alice", strconv.FormatInt(id, 10))}
	if r.path == "/api/v1/rides" && r.method == "GET" {
		e = upcoming(1, 2)
	}
	for _, v := range valid() {
		if r.hasBody && v.method == r.method && v.path == fill(r.path, "", "1") {
			e.body = v.body
		}
	}
	return e
}

// stranger is a caller who may not do something.
type stranger struct {
	name, authorization string
	statuses            []int // of which one is right
}

// testAuth tries every route with every caller. What the contract leaves open stays open: routes of
// which it does not say that they want a token.
func testAuth(s *suite) {
	s.clear("alice", "bob")
	ride, other := s.addRide("alice"), s.addRide("bob")
	if !s.target.Auth {
		s.openToAll(ride, other)
		return
	}
	alice, bob, secret := s.signIn("alice"), s.signIn("bob"), s.target.ServiceToken
	unknown := []stranger{
		{"without", "", []int{401}}, {"garbage", "Bearer garbage", []int{401}}, {"dots", "Bearer a.b.c", []int{401}}, {"empty", "Bearer ", []int{401}},
		{"other scheme", "Basic YWxpY2U6c2VjcmV0", []int{401}}, {"no scheme", alice, []int{401}}, {"token of nothing", "Bearer null", []int{401}},
		{"long", "Bearer " + strings.Repeat("a", 8000), []int{401}},
	}
	for _, f := range forgeries(alice, secret) {
		unknown = append(unknown, stranger{f.name, "Bearer " + f.token, []int{401}})
	}
	strangers := map[access][]stranger{
		// A token of the wrong sort is none, or another's: the contract does not say which.
		owner:   append([]stranger{{"another user's", "Bearer " + bob, []int{403}}, {"the service's", "Bearer " + secret, []int{401, 403}}}, unknown...),
		anyUser: append([]stranger{{"the service's", "Bearer " + secret, []int{401, 403}}}, unknown...),
		service: append([]stranger{{"a user's", "Bearer " + alice, []int{401, 403}}, {"nearly the service's", "Bearer " + secret[:len(secret)-1], []int{401}},
			{"more than the service's", "Bearer " + secret + "x", []int{401}}, {"the service's, no scheme", secret, []int{401}}}, unknown...),
	}
	for _, r := range routes {
		for _, who := range strangers[r.access] {
			s.run(fmt.Sprintf("%s %s/%s", r.method, r.path, who.name), func(s *suite) {
				a := s.do(r.example(ride, other).with("Authorization", who.authorization))
				if !slices.Contains(who.statuses, a.status) {
					s.t.Errorf("%v; want status %v", a, who.statuses)
				}
			})
		}
	}
	s.cases(
		testCase{name: "nothing was done: users", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`},
		testCase{name: "nothing was done: rides", request: get("/api/v1/rides/count"), status: 200, body: `[2]`},
		testCase{name: "nothing was done: riders", request: getRide(other), status: 200, body: details(other, "bob")},
		testCase{name: "another's ride", request: deleteRide(other, "alice"), status: 403},
		testCase{name: "a ride in another's name", request: postRide(newRide("bob")).by("alice"), status: 403},
		testCase{name: "a seat in another's name", request: join(other, "alice").by("bob"), status: 403},
		testCase{name: "another user", request: deleteUser("bob").by("alice"), status: 403},
	)
	s.openToAll(ride, other)
	s.run("right", func(s *suite) {
		s.want(join(other, "alice"), 200)
		s.want(postRide(newRide("alice")), 201)
		s.want(deleteRide(ride, "alice"), 200)
		s.want(write(insertUser("carol")), 200)
		s.want(operate("GET", "/api/v1/worker/list", nil), 200)
		s.want(deleteUser("alice"), 200)
		s.want(putUser("alice").by("alice"), 201)
	})
}

// openToAll tries the routes that ask nobody: where auth is off, nearly all. Those that kill workers
// or empty the database have tests of their own.
func (s *suite) openToAll(ride, other int64) {
	wanted := map[string]int{
		"PUT /api/v1/users": 201, "POST /api/v1/rides": 201,
		"DELETE /api/v1/sessions": 400, // without tokens there is no session to end
	}
	// Deletions come last: what the others need is there until then.
	for _, deletions := range []bool{false, true} {
		for _, r := range routes {
			name := r.method + " " + r.path
			if s.target.Auth && r.access != open || (r.method == "DELETE") != deletions ||
				strings.Contains(r.path, "/crash/") || strings.HasSuffix(r.path, "/clear") || strings.HasSuffix(r.path, "/switchover") {
				continue
			}
			status, ok := wanted[name]
			if !ok {
				status = http.StatusOK
			}
			s.run(name+"/open", func(s *suite) {
				// In this order, so that the ride goes before its creator.
				e := r.example(ride, other)
				if deletions && strings.Contains(r.path, "users") {
					e = deleteUser("bob").by(nobody)
				}
				s.want(e.with("Authorization", ""), status)
				if r.method == "GET" {
					s.want(e.with("Authorization", "Bearer garbage"), status)
				}
			})
		}
	}
}
