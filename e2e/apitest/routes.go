package apitest

import (
	"net/http"
	"slices"
	"sort"
	"strings"
)

// access is who may use a route where the target asks for tokens.
type access int

const (
	open    access = iota // anyone
	service               // who has the service token
	owner                 // the user whom it is about
	anyUser               // whoever is signed in
)

// route is a method and path of the contract. {username} and {rideId} stand for values.
type route struct {
	method, path string
	access       access
	hasBody      bool
}

// routes are all of them.
var routes = []route{
	{"GET", "/api/v1/riders/{username}/rides", owner, false},
	{"DELETE", "/api/v1/riders/{username}/rides/{rideId}", owner, false},
	{"PUT", "/api/v1/users", open, true},
	{"GET", "/api/v1/users", open, false},
	{"DELETE", "/api/v1/users/{username}", owner, false},
	{"POST", "/api/v1/sessions", open, true},
	{"DELETE", "/api/v1/sessions", anyUser, false},
	{"POST", "/api/v1/rides", owner, true},
	{"GET", "/api/v1/rides", open, false},
	{"GET", "/api/v1/rides/{rideId}", open, false},
	{"POST", "/api/v1/rides/{rideId}", owner, true},
	{"DELETE", "/api/v1/rides/{rideId}", owner, false},
	{"GET", "/api/v1/rides/count", open, false},
	{"POST", "/api/v1/db/write", service, true},
	{"POST", "/api/v1/db/read", service, true},
	{"POST", "/api/v1/db/clear", service, false},
	{"GET", "/api/v1/worker/list", service, false},
	{"POST", "/api/v1/crash/master", service, false},
	{"POST", "/api/v1/crash/slave", service, false},
	{"GET", "/api/v1/cluster", service, false},
	{"GET", "/api/v1/cluster/history", service, false},
	{"PUT", "/api/v1/cluster/slaves", service, true},
	{"POST", "/api/v1/cluster/switchover", service, true},
	{"GET", "/healthz", open, false},
	{"GET", "/readyz", open, false},
	{"GET", "/metrics", service, false},
	{"GET", "/openapi.json", open, false},
	{"GET", "/docs", open, false},
	{"GET", "/", open, false},
	{"GET", "/app", open, false},
}

// fill puts values in the place of {username} and {rideId}.
func fill(path, username, ride string) string {
	return strings.NewReplacer("{username}", username, "{rideId}", ride).Replace(path)
}

// testMethods: a method that a path does not have is a 405 with Allow; an unknown path is a 404.
func testMethods(s *suite) {
	allowed := map[string][]string{}
	for _, r := range routes {
		allowed[r.path] = append(allowed[r.path], r.method)
	}
	var cases []testCase
	for _, r := range routes {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "BREW"} {
			wanted := allowed[r.path]
			if slices.Contains(wanted, method) || r.method != wanted[0] { // once per path
				continue
			}
			cases = append(cases, testCase{
				name: method + " " + r.path, request: request{method: method, path: fill(r.path, "alice", "7"), as: operator},
				status: http.StatusMethodNotAllowed,
				check:  func(s *suite, a answer) { s.wantAllow(a, wanted) },
			})
		}
	}
	for _, path := range []string{
		"/web", "/web/", "/api", "/api/v1", "/api/v1/", "/api/v1/user", "/api/v1/users/", "/api/v1/users/alice/rides", "/api/v1/rides/",
		"/api/v1/rides/1/users", "/api/v1/Users", "/api/v2/users", "/api/v1/sessions/1", "/api/v1/db", "/api/v1/db/drop",
		"/api/v1/crash", "/api/v1/crash/watcher", "/api/v1/worker", "/api/v1/cluster/masters", "/healthz/", "/index.html",
		"/api/v1//users", "/api/v1/../v1/users", "/api/v1/users/%2E%2E/users", "/favicon.ico", "/.env", "/api/v1/%00",
	} {
		for _, method := range []string{"GET", "POST"} {
			cases = append(cases, testCase{name: method + " " + path,
				request: request{method: method, path: path, as: operator}, status: http.StatusNotFound})
		}
	}
	s.cases(cases...)
}

// wantAllow checks the Allow header. HEAD and OPTIONS may be in it.
func (s *suite) wantAllow(a answer, wanted []string) {
	s.t.Helper()
	var got []string
	for _, method := range strings.Split(strings.Join(a.header.Values("Allow"), ","), ",") {
		if method = strings.TrimSpace(method); method != "HEAD" && method != "OPTIONS" {
			got = append(got, method)
		}
	}
	wanted = slices.Clone(wanted)
	sort.Strings(got)
	sort.Strings(wanted)
	if !slices.Equal(got, wanted) {
		s.t.Errorf("%v; Allow %q, want %q", a, a.header.Values("Allow"), wanted)
	}
}
