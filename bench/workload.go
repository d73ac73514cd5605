package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"rideshare/internal/db"
)

// workload is one kind of request.
type workload struct {
	name     string
	status   int  // that answers it
	levelled bool // only of systems whose reads have levels; others answer every read like the first
	request  func(s *system, n int) string
}

// The names of the workloads.
const (
	write    = "POST /rides"
	eventual = "GET /rides/{id}, eventual"
	session  = "GET /rides/{id}, session"
	strong   = "the same by POST /db/read, strong"
	upcoming = "GET /rides?source&destination, 10 rides"
)

// workloads are what is measured. A GET sees what its function has seen; where nobody writes
// meanwhile that is eventual. With the token of the newest write it is a session. The public API has no
// strong reads: they are the database API's, of the same two queries.
func workloads() []workload {
	return []workload{
		{write, http.StatusCreated, false, func(_ *system, n int) string { return post("/rides", offer(n)) }},
		{eventual, http.StatusOK, false, func(s *system, n int) string { return get(s.path(n)) }},
		{session, http.StatusOK, true, func(s *system, n int) string { return get(s.path(n), "Consistency-Token: "+s.token) }},
		{strong, http.StatusOK, true, func(s *system, n int) string { return post("/db/read", strongRead(s.ride(n))) }},
		{upcoming, http.StatusOK, false, func(*system, int) string {
			return get(fmt.Sprintf("/rides?source=%d&destination=%d", listedSource, listedDestination))
		}},
	}
}

func (s *system) ride(n int) int64 { return s.rides[n*7919%len(s.rides)] } // 7919 is a prime: it visits all of them

func (s *system) path(n int) string { return fmt.Sprint("/rides/", s.ride(n)) }

func strongRead(ride int64) db.Read {
	is := []db.Condition{db.Where("ride_id", db.Eq, ride)}
	return db.Read{Consistency: db.Strong, Queries: []db.Query{
		{Table: "rides", Where: is},
		{Table: "riders", Columns: []string{"username"}, Where: is, OrderBy: []db.Order{{Column: "joined"}}},
	}}
}

// get and post return a request as it stands on the wire.
func get(path string, header ...string) string {
	lines := append([]string{"GET /api/v1" + path + " HTTP/1.1", "Host: localhost"}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func post(path string, body any) string {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // what is sent is made of maps and structs of ours
	}
	return fmt.Sprintf("POST /api/v1%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(data), data)
}
