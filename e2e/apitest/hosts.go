package apitest

import "net/http"

// testHosts: without tokens, a page that gives its own name the server's address gets nothing. With
// tokens, the name does not matter.
func testHosts(s *suite) {
	if s.target.Auth {
		return
	}
	s.clear("alice", "bob")
	ride, other := s.addRide("alice"), s.addRide("bob")
	for _, r := range routes {
		for host, own := range map[string]bool{"evil.example": false, "localhost.evil.example:8080": false, "2130706433": false, "LOCALHOST:99": true, "[::1]": true} {
			if own && r.method != http.MethodGet {
				continue // what changes something is tried under the server's own name everywhere else
			}
			s.run(r.method+" "+r.path+"/"+host, func(s *suite) {
				e := r.example(ride, other)
				e.host = host
				if !own {
					s.want(e, 403)
				} else if a := s.do(e); a.status == 403 {
					s.t.Errorf("%v; want what localhost gets", a)
				}
			})
		}
	}
	for _, path := range []string{"/", "/app", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics", "/api/v1/cluster/events", "/nothing"} {
		r := get(path)
		r.host = "evil.example"
		s.want(r, 403)
	}
	s.cases(
		testCase{name: "nothing was done: users", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`},
		testCase{name: "nothing was done: rides", request: get("/api/v1/rides/count"), status: 200, body: `[2]`},
	)
}
