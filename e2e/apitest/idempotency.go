package apitest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
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
	s.run("another body under the same key", func(s *suite) { s.reuseKeys() })
	s.run("clear", func(s *suite) { s.keysAfterClear() })
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

// reuseKeys: a key that was used for a request with another body is a 422, whether that was executed or
// refused, and nothing happens.
func (s *suite) reuseKeys() {
	s.clear("alice")
	password := request{method: "PUT", path: "/api/v1/users", body: object{"username": "new", "password": strings.Repeat("0", 40)}}
	toOther := postRide(except(newRide("alice"), "destination", 3))
	spaced := postRide(newRide("alice"))
	spaced.body = fmt.Sprintf(` { "destination" : 2 , "source":1,"timestamp":%q,"created_by":"\u0061lice"}`, soon)
	insert := func(name string) request {
		return write(object{"insert": "users", "values": object{"username": name, "password_hash": "x"}})
	}
	for _, c := range []struct {
		name               string
		first, again, next request
		status             int
	}{
		{"sign up", putUser("new"), putUser("new"), password, 201},
		{"sign up, refused", putUser("alice"), putUser("alice"), putUser("bob"), 400},
		{"ride", postRide(newRide("alice")), spaced, toOther, 201},
		{"database", insert("inserted"), insert("inserted"), insert("other"), 200},
		{"database, refused", insert("alice"), insert("alice"), insert("other"), 409},
	} {
		s.run(c.name, func(s *suite) {
			key := rand.Text()
			first := s.must(c.first.with(idempotencyKey, key), c.status)
			for range 2 {
				a := s.want(c.next.with(idempotencyKey, key), 422)
				if p := decode[object](s, a); p["kind"] != "key_reused" || !strings.Contains(fmt.Sprint(p["detail"]), idempotencyKey) {
					s.t.Errorf("%v; want a problem that says why", a)
				}
				if again := s.want(c.again.with(idempotencyKey, key), c.status); !bytes.Equal(again.body, first.body) {
					s.t.Errorf("%v; the same key got %s the first time", again, first.body)
				}
			}
		})
	}
	s.run("at once", func(s *suite) {
		key := rand.Text()
		answers := make([]answer, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = s.do(putUser(fmt.Sprint("racer", i)).with(idempotencyKey, key)) })
		}
		all.Wait()
		created := 0
		for _, a := range answers {
			switch a.status {
			case 201:
				created++
			case 422:
			default:
				s.t.Errorf("%v; want 201 or 422", a)
			}
		}
		var racers int
		for _, name := range decode[[]string](s, s.want(get("/api/v1/users"), 200)) {
			if strings.HasPrefix(name, "racer") {
				racers++
			}
		}
		if created != 1 || racers != 1 {
			s.t.Errorf("%d answers say that a user was created, and %d were; want 1", created, racers)
		}
	})
	s.cases(
		testCase{name: "rides", request: get("/api/v1/rides/count"), status: 200, body: `[1]`},
		testCase{name: "none of them to 3", request: upcoming(1, 3), status: 204},
	)
	s.want(signIn("new", digest).with(consistencyToken, s.session.newest()), 200)
}

// keysAfterClear: after a clear a key that was used before is free, but for the clear's own.
func (s *suite) keysAfterClear() {
	s.clear("alice")
	key := rand.Text()
	bob := putUser("bob").with(idempotencyKey, key)
	s.must(bob, 201)
	s.addRide("alice")
	second := s.must(postRide(newRide("alice")).with(idempotencyKey, key), 201)
	clearing := request{method: "POST", path: "/api/v1/db/clear", as: operator}.with(idempotencyKey, key)
	s.must(clearing, 200)
	s.session.forget()
	s.must(bob, 201)
	s.must(putUser("alice"), 201)
	if ride := s.must(postRide(newRide("alice")).with(idempotencyKey, key), 201); bytes.Equal(ride.body, second.body) {
		s.t.Errorf("%v; that is a ride from before the clear", ride)
	}
	s.want(clearing, 200)
	s.cases(
		testCase{name: "the key cleared once", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`},
		testCase{name: "the ride is there", request: getRide(1), status: 200, body: details(1, "alice")},
	)
}
