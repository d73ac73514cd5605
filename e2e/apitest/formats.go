package apitest

import (
	"fmt"
	"net/url"
)

// testTimestamps: DD-MM-YYYY:SS-MM-HH, of dates that exist.
func testTimestamps(s *suite) {
	s.clear("alice")
	for _, timestamp := range []string{
		"01-01-2030:00-00-00", "31-12-2030:59-59-23", "25-12-2035:00-30-18", "01-01-2030:59-00-00", "01-01-2030:00-59-00", "01-01-2030:00-00-23",
		"29-02-2028:00-00-12", "29-02-2000:00-00-12", "29-02-2400:00-00-12", "28-02-2029:00-00-12", "31-01-2030:30-00-12", "30-04-2030:00-00-00",
		"01-01-1970:00-00-00", "31-12-1969:59-59-23", "19-01-2038:08-14-03", "01-01-2100:00-00-00", "07-02-2106:16-28-06", "31-12-9999:59-59-23", "01-01-1000:00-00-00",
		"26-03-2034:00-30-02", "29-10-2034:00-30-02", // where clocks change elsewhere
	} {
		s.run("accepted "+timestamp, func(s *suite) {
			ride := s.addRideAs(except(newRide("alice"), "timestamp", timestamp))
			if got := decode[rideDetails](s, s.want(getRide(ride), 200)); got.Timestamp != timestamp {
				s.t.Errorf("ride at %s comes back at %s", timestamp, got.Timestamp)
			}
		})
	}
	for _, timestamp := range []any{
		"31-02-2030:00-00-00", "30-02-2028:00-00-00", "29-02-2029:00-00-00", "29-02-2100:00-00-00", "29-02-1900:00-00-00", "31-04-2030:00-00-00", "31-06-2030:00-00-00",
		"32-01-2030:00-00-00", "00-01-2030:00-00-00", "01-00-2030:00-00-00", "01-13-2030:00-00-00", "25-25-2030:00-00-00",
		"01-01-2030:00-00-24", "01-01-2030:00-60-00", "01-01-2030:60-00-00", "01-01-2030:12-00-30", "01-01-2030:00-00-99",
		"", " ", ":", "01-01-2030", "01-01-2030:", "01-01-2030:00", "01-01-2030:00-00", "01-01:00-00-00", ":00-00-00", "00-00-00", "--:--",
		"1-1-2030:0-0-0", "1-01-2030:00-00-00", "01-01-30:00-00-00", "01-01-02030:00-00-00", "01-01-20300:00-00-00", "001-01-2030:00-00-00", "01-01-2030:00-00-000",
		"01-01-2030:00-00-00 ", " 01-01-2030:00-00-00", "01-01-2030:00-00-00\n", "01-01-2030:00-00-00Z", "01-01-2030:00-00-00 UTC", "01-01-2030:00-00-00-00", "01-01-2030:00-00-00.5",
		"01-01-2030 00-00-00", "01/01/2030:00-00-00", "01-01-2030:00:00:00", "01.01.2030:00.00.00", "01-01-2030T00-00-00", "01-01-2030:00_00_00",
		"2030-01-01T00:00:00Z", "2030-01-01:00-00-00", "01012030000000", "1893456000", "now", "tomorrow",
		"٠١-٠١-٢٠٣٠:٠٠-٠٠-٠٠", "０１-０１-２０３０:００-００-００", "0１-01-2030:00-00-00", "01‐01‐2030:00‐00‐00", "०१-०१-२०३०:००-००-००",
		"-1-01-2030:00-00-00", "+1-01-2030:00-00-00", "01--1-2030:00-00-00", "01-01--203:00-00-00", "01-01-+203:00-00-00", "01-01-2030:-1-00-00", "01-01-2030:+1-00-00",
		"0x-01-2030:00-00-00", "1e-01-2030:00-00-00", "aa-bb-cccc:dd-ee-ff", "01-Jan-2030:00-00-00", "01-01-2030:00-00-00\x00",
		1893456000, 1.5, true, []any{"01-01-2030:00-00-00"}, object{}, nil,
	} {
		s.cases(testCase{name: fmt.Sprintf("refused %q", timestamp), status: 400,
			request: postRide(except(newRide("alice"), "timestamp", timestamp))})
	}
}

// testAreas: 1 to 198, a JSON number or a numeric string.
func testAreas(s *suite) {
	s.clear("alice")
	ride := newRide("alice")
	for _, area := range []any{3, 198, "3", "198", "42"} {
		s.run(fmt.Sprintf("accepted %#v", area), func(s *suite) {
			id := s.addRideAs(except(ride, "source", area))
			got := decode[rideDetails](s, s.want(getRide(id), 200))
			if fmt.Sprint(got.Source) != fmt.Sprint(area) || got.Destination != 2 {
				s.t.Errorf("ride from %v to 2 comes back as from %d to %d", area, got.Source, got.Destination)
			}
			s.want(upcoming(area, 2), 200)
			s.want(upcoming(2, area), 204)
			s.addRideAs(except(ride, "destination", area))
			s.want(upcoming(1, area), 200)
		})
	}
	for _, area := range []any{
		0, 199, -1, 200, 1000, 1.5, 9007199254740993.0, 1e300, "0", "199", "-1", "1.5", "abc", "", " ", " 5", "5 ", "5\n", "0x5", "5a", "five", "５", "٥", "⁵",
		"1e1", "NaN", "99999999999999999999", "1;DROP TABLE rides", nil, true, []any{5}, object{"area": 5},
	} {
		s.run(fmt.Sprintf("refused %#v", area), func(s *suite) {
			s.want(postRide(except(ride, "source", area)), 400)
			s.want(postRide(except(ride, "destination", area)), 400)
		})
	}
	for _, number := range []string{"1e999", "99999999999999999999999999", "-0.5", "4294967297", "18446744073709551617"} {
		body := fmt.Sprintf(`{"created_by":"alice","timestamp":%q,"source":%s,"destination":2}`, soon, number)
		s.cases(testCase{name: "refused number " + number, status: 400,
			request: request{method: "POST", path: "/api/v1/rides", body: body, as: "alice"}})
	}
	for _, area := range []string{"0", "199", "-1", "1.5", "abc", "", " 5", "5 ", "0x5", "５", "1e1", "null", "99999999999999999999", "\x00", "' OR 1=1"} {
		s.run(fmt.Sprintf("refused in a query %q", area), func(s *suite) {
			s.want(upcoming(url.QueryEscape(area), 2), 400)
			s.want(upcoming(1, url.QueryEscape(area)), 400)
		})
	}
	s.cases(
		testCase{name: "no source", request: get("/api/v1/rides?destination=2"), status: 400},
		testCase{name: "no destination", request: get("/api/v1/rides?source=2"), status: 400},
		testCase{name: "neither", request: get("/api/v1/rides"), status: 400},
		testCase{name: "no query", request: get("/api/v1/rides?"), status: 400},
		testCase{name: "invalid escape", request: get("/api/v1/rides?source=%FF&destination=2"), status: 400},
	)
}

// testUpcoming: only rides that are to come, only between those areas, soonest first.
func testUpcoming(s *suite) {
	s.clear("alice", "bob")
	add := func(by, timestamp string, source, destination int) int64 {
		s.t.Helper()
		return s.addRideAs(object{"created_by": by, "timestamp": timestamp, "source": source, "destination": destination})
	}
	s.cases(testCase{name: "none", request: upcoming(5, 6), status: 204})
	add("alice", "01-01-2020:00-00-00", 5, 6)
	add("bob", inDays(-2), 5, 6)
	s.cases(testCase{name: "only past ones", request: upcoming(5, 6), status: 204})

	// Neither the order of creation nor that of the text is that of time.
	third := add("alice", "15-06-2095:00-00-11", 5, 6)
	fourth := add("bob", "01-07-2095:00-00-00", 5, 6)
	second := add("bob", "15-06-2095:59-59-10", 5, 6)
	fifth := add("alice", "31-01-2096:00-00-00", 5, 6)
	first := add("alice", later, 5, 6)
	back := add("alice", soon, 6, 5)
	add("alice", soon, 5, 7)
	add("alice", soon, 7, 6)
	entry := func(id int64, by, timestamp string) string {
		return fmt.Sprintf(`{"rideId":%d,"username":%q,"timestamp":%q}`, id, by, timestamp)
	}
	s.cases(
		testCase{name: "soonest first", request: upcoming(5, 6), status: 200, body: "[" +
			entry(first, "alice", later) + "," + entry(second, "bob", "15-06-2095:59-59-10") + "," +
			entry(third, "alice", "15-06-2095:00-00-11") + "," + entry(fourth, "bob", "01-07-2095:00-00-00") + "," +
			entry(fifth, "alice", "31-01-2096:00-00-00") + "]"},
		testCase{name: "the other way", request: upcoming(6, 5), status: 200, body: "[" + entry(back, "alice", soon) + "]"},
		testCase{name: "no ride there", request: upcoming(6, 7), status: 204},
		testCase{name: "past rides exist", request: get("/api/v1/rides/count"), status: 200, body: `[10]`},
		testCase{name: "a past ride can be got", request: getRide(1), status: 200,
			body: `{"rideId":1,"created_by":"alice","users":[],"timestamp":"01-01-2020:00-00-00","source":5,"destination":6}`},
		testCase{name: "delete the first", request: deleteRide(back, "alice"), status: 200},
		testCase{name: "it is not listed", request: upcoming(6, 5), status: 204},
	)
}
