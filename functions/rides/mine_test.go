package rides

import (
	"net/http"
	"testing"

	"rideshare/internal/serve/servetest"
)

func TestRidesOfARider(t *testing.T) { servetest.Each(t, testRidesOfARider) }

func testRidesOfARider(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice", "bob", "O'Hara <b>"), false)
	for _, r := range []string{
		ride("alice", "03-03-2026:00-00-12", "1", "2"),
		ride("bob", "02-03-2026:00-00-12", "3", "4"),
		ride("alice", "28-02-2026:00-00-12", "1", "2"), // past
		ride("alice", "04-03-2026:00-00-12", "5", "6"),
	} {
		if w := do(h, http.MethodPost, path, r); w.Code != 201 {
			t.Fatalf("%s: %d %s", r, w.Code, w.Body)
		}
	}
	const bobs, odd = "/api/v1/riders/bob/rides", "/api/v1/riders/O'Hara%20%3Cb%3E/rides"
	const own = `{"rideId":2,"created_by":"bob","timestamp":"02-03-2026:00-00-12","source":3,"destination":4}`
	const other = `{"rideId":1,"created_by":"alice","timestamp":"03-03-2026:00-00-12","source":1,"destination":2}`
	want(t, do(h, http.MethodGet, odd, ""), 204, "")
	want(t, do(h, http.MethodGet, bobs, ""), 200, "["+own+"]")
	want(t, do(h, http.MethodPost, path+"/1", rider("bob")), 200, "{}")
	want(t, do(h, http.MethodPost, path+"/3", rider("bob")), 200, "{}")
	want(t, do(h, http.MethodPost, path+"/1", rider("O'Hara <b>")), 200, "{}")
	want(t, do(h, http.MethodGet, bobs, ""), 200, "["+own+","+other+"]")
	want(t, do(h, http.MethodGet, odd, ""), 200, "["+other+"]")

	want(t, do(h, http.MethodDelete, bobs+"/1", ""), 200, "{}")
	want(t, do(h, http.MethodDelete, bobs+"/1", ""), 400, "not joined")
	want(t, do(h, http.MethodDelete, bobs+"/2", ""), 400, "not joined") // offers it
	want(t, do(h, http.MethodDelete, bobs+"/9", ""), 400, "no such ride")
	want(t, do(h, http.MethodDelete, bobs+"/99999999999999999999", ""), 400, "no such ride")
	want(t, do(h, http.MethodDelete, bobs+"/x", ""), 400, "rideId")
	want(t, do(h, http.MethodGet, bobs, ""), 200, "["+own+"]")
	want(t, do(h, http.MethodGet, odd, ""), 200, "["+other+"]") // others stay
	want(t, do(h, http.MethodGet, "/api/v1/riders/nobody/rides", ""), 204, "")
	want(t, do(h, http.MethodGet, "/api/v1/riders/a%2Fb/rides", ""), 400, "username")
}
