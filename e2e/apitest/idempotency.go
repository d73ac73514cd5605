package apitest

import (
	"bytes"
	"crypto/rand"
	"fmt"
)

// testIdempotency: the same Idempotency-Key gets the same answer, and the operation happens once.
func testIdempotency(s *suite) {
	s.clear("alice", "bob", "carol")
	ride := s.addRide("alice")
	doomed, insert := s.addRide("alice"), object{"insert": "users", "values": object{"username": "inserted", "password_hash": "x"}}
	key := rand.Text()
	// All have the same key: they are different operations, and do not meet.
	for _, c := range []testCase{
		{name: "create a user", request: putUser("dave"), status: 201, body: `{}`},
		{name: "create a ride", request: postRide(newRide("bob")), status: 201, body: fmt.Sprintf(`{"rideId":%d}`, doomed+1)},
		{name: "join", request: join(ride, "bob"), status: 200, body: `{}`},
		{name: "delete a ride", request: deleteRide(doomed, "alice"), status: 200, body: `{}`},
		{name: "delete a user", request: deleteUser("carol"), status: 200, body: `{}`},
		{name: "database", request: write(insert), status: 200},
	} {
		s.run(c.name, func(s *suite) {
			c.request = c.request.with(idempotencyKey, key)
			first := s.must(c.request, c.status)
			if c.body != "" {
				s.wantJSON(first, c.body)
			}
			for range 3 {
				if again := s.want(c.request, c.status); !bytes.Equal(again.body, first.body) {
					s.t.Errorf("%v; the same key got %s the first time", again, first.body)
				}
			}
			c.request.header = nil
			if other := s.do(c.request); c.name != "create a ride" && other.status < 400 {
				s.t.Errorf("%v; it has been done, and without the key it is asked anew: want an error", other)
			}
		})
	}
	s.cases(
		testCase{name: "users", request: get("/api/v1/users"), status: 200, body: `["alice","bob","dave","inserted"]`},
		testCase{name: "rides", request: get("/api/v1/rides/count"), status: 200, body: `[3]`},
		testCase{name: "riders", request: getRide(ride), status: 200, body: details(ride, "alice", "bob")},
	)
	s.run("answers that are errors", func(s *suite) {
		exists := putUser("dave").with(idempotencyKey, rand.Text())
		missing := deleteUser("erin").by("dave").with(idempotencyKey, rand.Text())
		full := join(ride, "bob").with(idempotencyKey, rand.Text())
		refused := write(insert).with(idempotencyKey, rand.Text())
		first := []answer{s.want(exists, 400), s.want(missing, unknownUser(s)), s.want(full, 400), s.want(refused, 409)}
		s.want(deleteUser("dave"), 200)
		s.want(write(object{"delete": "users", "where": []any{where("username", "=", "inserted")}}), 200)
		for _, a := range first {
			if a.request.as == "dave" {
				continue // who is gone
			}
			if again := s.want(a.request, a.status); !bytes.Equal(again.body, a.body) {
				s.t.Errorf("%v; the same key got %s the first time", again, a.body)
			}
		}
	})
	s.run("other keys are other requests", func(s *suite) {
		a, b := rand.Text(), rand.Text()
		one := s.must(postRide(newRide("alice")).with(idempotencyKey, a), 201)
		two := s.must(postRide(newRide("alice")).with(idempotencyKey, b), 201)
		if bytes.Equal(one.body, two.body) {
			s.t.Errorf("two keys, one ride: %s", one.body)
		}
	})
	s.run("keys of any form do no harm", func(s *suite) {
		for _, key := range []string{"é", "a b", "'; DROP TABLE users; --", string(bytes.Repeat([]byte("k"), 5000)), ".", "*", "#", "../.."} {
			if a := s.do(postRide(newRide("alice")).with(idempotencyKey, key)); a.status != 201 && a.status != 400 {
				s.t.Errorf("key %.20q: %v; want 201, or 400", key, a)
			}
		}
	})
}
