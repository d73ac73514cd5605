package apitest

import (
	"fmt"
	"strings"
)

// rideDetails is a ride as GET /api/v1/rides/{rideId} answers it.
type rideDetails struct {
	RideID      int64
	CreatedBy   string `json:"created_by"`
	Users       []string
	Timestamp   string
	Source      int
	Destination int
}

// details is the wanted body of a ride as newRide makes it.
func details(ride int64, by string, users ...string) string {
	if users == nil {
		users = []string{}
	}
	return fmt.Sprintf(`{"rideId":%d,"created_by":%q,"users":%s,"timestamp":%q,"source":1,"destination":2}`, ride, by, list(users...), soon)
}

// testRides: creating, getting, removing, counting.
func testRides(s *suite) {
	s.clear("alice", "bob")
	ride := newRide("alice")
	s.cases(
		testCase{name: "count of none", request: get("/api/v1/rides/count"), status: 200, body: `[0]`},
		testCase{name: "no such ride yet", request: getRide(1), status: 204},
		testCase{name: "created", request: postRide(ride), status: 201, body: `{"rideId":1}`},
		testCase{name: "the same once more", request: postRide(ride), status: 201, body: `{"rideId":2}`},
		testCase{name: "get", request: getRide(1), status: 200, body: details(1, "alice")},
		testCase{name: "count", request: get("/api/v1/rides/count"), status: 200, body: `[2]`},
		testCase{name: "unknown user", request: postRide(newRide("nobody")).by("alice"), status: unknownUser(s)},
		testCase{name: "user of another case", request: postRide(newRide("Alice")).by("alice"), status: unknownUser(s)},
		testCase{name: "source is destination", request: postRide(except(ride, "destination", 1)), status: 400},
		testCase{name: "source is destination, as text", request: postRide(except(ride, "destination", "1")), status: 400},
		testCase{name: "bad timestamp", request: postRide(except(ride, "timestamp", "tomorrow")), status: 400},
		testCase{name: "id of one's own", request: postRide(except(ride, "rideId", 7)), status: 400},
		testCase{name: "past", request: postRide(except(ride, "timestamp", "01-01-2020:00-00-00")), status: 201, check: wantRideID},
		testCase{name: "the other way", request: postRide(except(except(ride, "source", 2), "destination", 1)), status: 201, check: wantRideID},
		testCase{name: "count of four", request: get("/api/v1/rides/count"), status: 200, body: `[4]`},
		testCase{name: "delete", request: deleteRide(1, "alice"), status: 200, body: `{}`},
		testCase{name: "deleted", request: getRide(1), status: 204},
		testCase{name: "delete again", request: deleteRide(1, "alice"), status: 400},
		testCase{name: "count of three", request: get("/api/v1/rides/count"), status: 200, body: `[3]`},
	)
	s.run("a number is never used again", func(s *suite) {
		last := s.addRide("alice")
		s.want(deleteRide(last, "alice"), 200)
		if next := s.addRide("alice"); next <= last {
			s.t.Errorf("ride %d was deleted, and the next one is %d", last, next)
		}
	})
}

// wantRideID checks that the answer is {"rideId":n}, a JSON number.
func wantRideID(s *suite, a answer) {
	fields := decode[object](s, a)
	if id, ok := fields["rideId"].(float64); !ok || id < 1 || len(fields) != 1 {
		s.t.Errorf(`%v; want {"rideId":n}`, a)
	}
}

// testRideIDs: what may stand in the place of {rideId}.
func testRideIDs(s *suite) {
	s.clear("alice", "bob")
	s.addRide("alice")
	for id, number := range map[string]bool{
		"0": true, "2": true, "9007199254740993": true, "9223372036854775807": true, "9223372036854775808": true,
		"18446744073709551615": true, "18446744073709551616": true, "99999999999999999999": true,
		"-1": false, "%2B1": false, "abc": false, "1e3": false, "1.0": false, "0x1": false, "1abc": false, "%201": false, "1%20": false,
		"1%0A": false, "%EF%BC%91": false, "%D9%A1": false, "1_0": false, "1,0": false, "null": false, "%00": false, "%FF": false, "1'--": false,
		"%2E%2E": false, strings.Repeat("a", 5000): false,
	} {
		status := 400 // not a number
		if number {
			status = 204 // no such ride
		}
		s.run(fmt.Sprintf("%.30s", id), func(s *suite) {
			s.want(getRide(id), status)
			s.want(join(id, "bob"), 400)
			s.want(deleteRide(id, "alice"), 400)
		})
	}
	s.cases(testCase{name: "the ride is as it was", request: getRide(1), status: 200, body: details(1, "alice")})
}

// testJoining: the riders of a ride.
func testJoining(s *suite) {
	s.clear("alice", "bob", "carol", "dave", "Bob")
	ride, other := s.addRide("alice"), s.addRide("bob")
	s.cases(
		testCase{name: "join", request: join(ride, "dave"), status: 200, body: `{}`},
		testCase{name: "join too", request: join(ride, "bob"), status: 200, body: `{}`},
		testCase{name: "join as well", request: join(ride, "carol"), status: 200, body: `{}`},
		testCase{name: "in order, without the creator", request: getRide(ride), status: 200, body: details(ride, "alice", "dave", "bob", "carol")},
		testCase{name: "already in it", request: join(ride, "bob"), status: 400},
		testCase{name: "its creator", request: join(ride, "alice"), status: 400},
		testCase{name: "unknown user", request: join(ride, "nobody").by("bob"), status: unknownUser(s)},
		testCase{name: "unknown ride", request: join(other+1000, "bob"), status: 400},
		testCase{name: "case counts", request: join(ride, "Bob"), status: 200, body: `{}`},
		testCase{name: "another ride", request: join(other, "carol"), status: 200, body: `{}`},
		testCase{name: "the other ride", request: getRide(other), status: 200, body: details(other, "bob", "carol")},
		testCase{name: "unchanged by what failed", request: getRide(ride), status: 200, body: details(ride, "alice", "dave", "bob", "carol", "Bob")},
		testCase{name: "one leaves the system", request: deleteUser("bob"), status: 200},
		testCase{name: "order is kept", request: getRide(ride), status: 200, body: details(ride, "alice", "dave", "carol", "Bob")},
		testCase{name: "it comes back", request: putUser("bob"), status: 201},
	)
	s.session.forget()
	s.cases(
		testCase{name: "it joins again", request: join(ride, "bob"), status: 200, body: `{}`},
		testCase{name: "now it is the last", request: getRide(ride), status: 200, body: details(ride, "alice", "dave", "carol", "Bob", "bob")},
		testCase{name: "joining a deleted ride", request: deleteRide(ride, "alice"), status: 200},
		testCase{name: "it is gone", request: join(ride, "bob"), status: 400},
	)
}

// testCascade: with a user go its rides and its seats, with a ride its seats.
func testCascade(s *suite) {
	s.clear("alice", "bob", "carol")
	hers, second, his := s.addRide("alice"), s.addRide("alice"), s.addRide("bob")
	for _, r := range []request{join(hers, "bob"), join(hers, "carol"), join(his, "alice"), join(his, "carol"), join(second, "bob")} {
		s.must(r, 200)
	}
	seats := func(n int) string { return fmt.Sprintf(`[{"count":%d}]`, n) }
	s.wantResults(object{"table": "riders", "count": true}, seats(5))
	s.cases(
		testCase{name: "delete a ride", request: deleteRide(second, "alice"), status: 200, body: `{}`},
		testCase{name: "its users stay", request: get("/api/v1/users"), status: 200, body: `["alice","bob","carol"]`},
	)
	s.wantResults(object{"table": "riders", "count": true}, seats(4))
	s.cases(
		testCase{name: "delete a user", request: deleteUser("alice"), status: 200, body: `{}`},
		testCase{name: "its ride is gone", request: getRide(hers), status: 204},
		testCase{name: "its seat in another's is gone", request: getRide(his), status: 200, body: details(his, "bob", "carol")},
		testCase{name: "count", request: get("/api/v1/rides/count"), status: 200, body: `[1]`},
		testCase{name: "upcoming", request: upcoming(1, 2), status: 200, body: fmt.Sprintf(`[{"rideId":%d,"username":"bob","timestamp":%q}]`, his, soon)},
		testCase{name: "nobody joins what is gone", request: join(hers, "carol"), status: 400},
	)
	s.wantResults(object{"table": "riders", "count": true}, seats(1))
	s.cases(
		testCase{name: "created again", request: putUser("alice"), status: 201},
		testCase{name: "it has nothing", request: getRide(hers), status: 204},
	)
	s.wantResults(object{"table": "riders", "count": true}, seats(1))
}
