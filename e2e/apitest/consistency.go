package apitest

import (
	"fmt"
	"time"
)

// quick is what "answers quickly" means: no waiting for a position that will not come.
const quick = 2 * time.Second

// testConsistency: the Consistency-Token. That it is on every answer is checked by do.
func testConsistency(s *suite) {
	s.clear("alice", "bob")
	ride := s.addRide("alice")
	reads := []request{
		get("/api/v1/users"), get("/api/v1/rides/count"), getRide(ride), upcoming(1, 2), upcoming(8, 9), getRide(999999),
	}
	for _, level := range []string{"eventual", "session", "strong"} {
		reads = append(reads, request{method: "POST", path: "/api/v1/db/read", as: operator,
			body: object{"queries": []any{object{"table": "users"}}, "consistency": level}})
	}
	for _, r := range reads {
		name := r.String()
		if body, ok := r.body.(object); ok {
			name += fmt.Sprint(" ", body["consistency"])
		}
		s.run(name, func(s *suite) {
			newest := s.must(r, s.do(r).status).header.Get(consistencyToken)
			if a := s.do(r.with(consistencyToken, newest)); a.status >= 400 {
				s.t.Errorf("%v; with its own token %s", a, newest)
			}
			for _, token := range []string{"abc", "1", "1.", ".1", "1.2.3", "-1.2", "1.-2", "1.x", "1,2", "+1.1", "0x1.1", "1 .1", "1.18446744073709551616", "é.1", "null", "9.999999999999", "9.18446744073709551615"} {
				a := s.want(r.with(consistencyToken, token), 400)
				if a.took > quick {
					s.t.Errorf("%v with token %s: answered after %v, want less than %v", a, token, a.took, quick)
				}
			}
		})
	}
	s.run("after in the body", func(s *suite) {
		for _, after := range []any{"abc", "1", "1.2.3", "-1.2", "9.999999999999", 1.5, object{}} {
			body := object{"queries": []any{object{"table": "users"}}, "consistency": "session", "after": after}
			if a := s.want(request{method: "POST", path: "/api/v1/db/read", body: body, as: operator}, 400); a.took > quick {
				s.t.Errorf("%v after %v: answered after %v, want less than %v", a, after, a.took, quick)
			}
		}
	})
	s.run("a read with the token of a write sees it", func(s *suite) {
		for i := range 20 {
			name := fmt.Sprintf("user%02d", i)
			token := s.must(putUser(name), 201).header.Get(consistencyToken)
			// The page that begins before the name.
			s.wantJSON(s.want(get("/api/v1/users?limit=1&after="+name[:5]).with(consistencyToken, token), 200), list(name))
			token = s.must(deleteUser(name), 200).header.Get(consistencyToken)
			s.want(get("/api/v1/users?limit=1&after="+name[:5]).with(consistencyToken, token), 204)
		}
	})
	s.run("a caller without tokens sees its own writes", func(s *suite) {
		for range 20 {
			id := s.addRide("alice")
			s.want(getRide(id).with(consistencyToken, ""), 200)
			s.want(deleteRide(id, "alice"), 200)
			s.want(getRide(id).with(consistencyToken, ""), 204)
		}
	})
	s.run("positions grow", func(s *suite) {
		before := seqOf(s, s.must(putUser("last"), 201))
		after := seqOf(s, s.must(deleteUser("last"), 200))
		if after <= before {
			s.t.Errorf("positions of two writes: %d, then %d", before, after)
		}
	})
}

// seqOf returns the second number of the answer's position.
func seqOf(s *suite, a answer) (seq uint64) {
	s.t.Helper()
	var epoch uint64
	if _, err := fmt.Sscanf(a.header.Get(consistencyToken), "%d.%d", &epoch, &seq); err != nil {
		s.t.Fatalf("%v: Consistency-Token: %v", a, err)
	}
	return seq
}
