package apitest

import "net/http"

// testSites: what a page of another site makes a browser send changes nothing, whatever token it
// carries. Reading is left to browsers: the answer does not say that the page may have it.
func testSites(s *suite) {
	s.clear("alice", "bob")
	ride := s.addRide("alice")
	for _, r := range routes {
		foreign := r.example(ride, s.addRide("bob")).with("Sec-Fetch-Site", "cross-site").with("Origin", "https://other.example")
		foreign.as = operator
		if r.access == owner {
			foreign.as = "alice"
		}
		status := http.StatusForbidden
		if r.method == http.MethodGet {
			if r.access == service {
				continue // the same as with the others, and the topology is read often enough
			}
			status = http.StatusOK
		}
		s.cases(testCase{name: r.method + " " + r.path, request: foreign, status: status, check: func(s *suite, a answer) {
			if got := a.header.Get("Access-Control-Allow-Origin"); got != "" {
				s.t.Errorf("%v; Access-Control-Allow-Origin is %q", a, got)
			}
		}})
	}
	s.cases(testCase{name: "nothing was done: users", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`})
}
