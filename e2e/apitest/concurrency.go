package apitest

import (
	"fmt"
	"slices"
	"sync"
)

// together sends n requests at the same time and returns the answers.
func (s *suite) together(n int, r func(i int) request) []answer {
	answers := make([]answer, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			answers[i] = s.do(r(i))
		})
	}
	close(start)
	wg.Wait()
	return answers
}

// wantStatuses checks how many answers have which status.
func (s *suite) wantStatuses(answers []answer, wanted map[int]int) {
	s.t.Helper()
	got := map[int]int{}
	for _, a := range answers {
		got[a.status]++
	}
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		s.t.Errorf("%d times %v: statuses and how often %v, want %v; the last body %.300s",
			len(answers), answers[0].request, got, wanted, answers[len(answers)-1].body)
	}
}

// testConcurrency: what can happen once happens once.
func testConcurrency(s *suite) {
	const n = 50
	s.clear("alice", "bob")
	ride := s.addRide("alice")
	if s.target.Auth {
		s.signIn("alice")
		s.signIn("bob")
	}
	s.run("one user", func(s *suite) {
		s.wantStatuses(s.together(n, func(int) request { return putUser("carol") }), map[int]int{201: 1, 400: n - 1})
		s.wantJSON(s.want(get("/api/v1/users"), 200), `["alice","bob","carol"]`)
	})
	s.run("one rider", func(s *suite) {
		s.wantStatuses(s.together(n, func(int) request { return join(ride, "bob") }), map[int]int{200: 1, 400: n - 1})
		s.wantJSON(s.want(getRide(ride), 200), details(ride, "alice", "bob"))
	})
	s.run("many rides", func(s *suite) {
		answers := s.together(n, func(int) request { return postRide(newRide("alice")) })
		s.wantStatuses(answers, map[int]int{201: n})
		var ids []int64
		for _, a := range answers {
			ids = append(ids, decode[struct{ RideID int64 }](s, a).RideID)
		}
		slices.Sort(ids)
		if unique := slices.Compact(slices.Clone(ids)); len(unique) != n || slices.Contains(ids, ride) {
			s.t.Errorf("%d rides were created under %d numbers: %v", n, len(unique), ids)
		}
		s.wantJSON(s.want(get("/api/v1/rides/count"), 200), fmt.Sprintf("[%d]", n+1))
	})
	s.run("one deletion of a ride", func(s *suite) {
		s.wantStatuses(s.together(n, func(int) request { return deleteRide(ride, "alice") }), map[int]int{200: 1, 400: n - 1})
		s.wantJSON(s.want(get("/api/v1/rides/count"), 200), fmt.Sprintf("[%d]", n))
	})
	s.run("one key", func(s *suite) {
		r := postRide(newRide("alice")).with(idempotencyKey, "concurrency-one-key")
		answers := s.together(n, func(int) request { return r })
		for _, a := range answers {
			if a.status != 201 || string(a.body) != string(answers[0].body) {
				s.t.Fatalf("%v; want the same as %v", a, answers[0])
			}
		}
		s.wantJSON(s.want(get("/api/v1/rides/count"), 200), fmt.Sprintf("[%d]", n+1))
	})
	s.run("many riders", func(s *suite) {
		var riders []string
		full := s.addRide("alice")
		for i := range 10 {
			riders = append(riders, fmt.Sprintf("rider%d", i))
			s.must(putUser(riders[i]), 201)
			s.tokenOf(caller(riders[i]))
		}
		s.wantStatuses(s.together(len(riders), func(i int) request { return join(full, riders[i]) }), map[int]int{200: len(riders)})
		got := decode[rideDetails](s, s.want(getRide(full), 200)).Users
		slices.Sort(got)
		if !slices.Equal(got, riders) {
			s.t.Errorf("%v joined ride %d; it has %v", riders, full, got)
		}
	})
	s.run("one deletion of a user", func(s *suite) {
		s.wantStatuses(s.together(n, func(int) request { return deleteUser("bob") }), map[int]int{200: 1, deletedUser(s): n - 1})
	})
}
