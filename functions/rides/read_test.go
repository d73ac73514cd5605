package rides

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/dbclient"
	"rideshare/internal/serve/servetest"
)

func TestUpcoming(t *testing.T) { servetest.Each(t, testUpcoming) }

func testUpcoming(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice", "bob"), false)
	for _, r := range []string{
		ride("alice", "03-03-2026:00-00-12", "1", "2"),
		ride("bob", "02-03-2026:00-00-12", "1", "2"),
		ride("alice", "02-03-2026:00-00-12", "1", "2"),
		ride("alice", "01-03-2026:00-00-12", "1", "2"), // now
		ride("alice", "28-02-2026:00-00-12", "1", "2"), // past
		ride("alice", "02-03-2026:00-00-12", "2", "1"),
	} {
		if w := do(h, http.MethodPost, path, r); w.Code != 201 {
			t.Fatalf("%s: %d %s", r, w.Code, w.Body)
		}
	}
	want(t, do(h, http.MethodGet, path+"?source=1&destination=2", ""), 200,
		`[{"rideId":2,"username":"bob","timestamp":"02-03-2026:00-00-12"},`+
			`{"rideId":3,"username":"alice","timestamp":"02-03-2026:00-00-12"},`+
			`{"rideId":1,"username":"alice","timestamp":"03-03-2026:00-00-12"}]`)
	for query, status := range map[string]int{
		"?source=5&destination=6":                    204,
		"?source=5&destination=5":                    204,
		"?x&source=1&destination=2&y=1":              200,
		"":                                           400,
		"?source=1":                                  400,
		"?source=&destination=2":                     400,
		"?source=0&destination=2":                    400,
		"?source=1&destination=199":                  400,
		"?source=1&destination=two":                  400,
		"?source=1&destination=%ff":                  400,
		"?source=1&destination=2%00":                 400,
		"?source=-1&destination=2":                   400,
		"?source=1.0&destination=2":                  400,
		"?source=99999999999999999999&destination=2": 400,
	} {
		if w := do(h, http.MethodGet, path+query, ""); w.Code != status {
			t.Errorf("%s: %d, want %d: %s", query, w.Code, status, w.Body)
		}
	}
}

// A list is read a page at a time, and whole, also where more rides depart at one time than a page has.
func TestLongUpcoming(t *testing.T) {
	for name, every := range map[string]time.Duration{"at one time": 0, "two by two": time.Second, "later and later": 2 * time.Second} {
		database := people(t, "alice")
		const rides = 2*db.Page + 1
		for n := 0; n < rides; {
			var w db.Write
			for ; n < rides && len(w.Ops) < db.MaxOps; n++ {
				w.Ops = append(w.Ops, db.Op{Insert: "rides", Values: map[string]db.Value{
					"ride_id": int64(n + 1), "created_by": "alice", "source": int64(1), "destination": int64(2),
					"departs_at": now.Add(time.Hour + time.Duration(n)*every/2),
				}})
			}
			if _, err := database.Write(t.Context(), "", w); err != nil {
				t.Fatal(err)
			}
		}
		h, _ := setup(servetest.Direct, database, false)
		var got []upcomingRide
		w := do(h, http.MethodGet, path+"?source=1&destination=2", "")
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != rides {
			t.Errorf("%s: %d rides, want %d", name, len(got), rides)
		}
		for i, r := range got {
			if r.RideID != int64(i+1) {
				t.Errorf("%s: ride %d stands at %d", name, r.RideID, i+1)
				break
			}
		}
	}
}

func TestCount(t *testing.T) { servetest.Each(t, testCount) }

func testCount(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice"), false)
	want(t, do(h, http.MethodGet, path+"/count", ""), 200, "[0]")
	do(h, http.MethodPost, path, ride("alice", "28-02-2020:00-00-12", "1", "2"))
	want(t, do(h, http.MethodGet, path+"/count", ""), 200, "[1]")
	want(t, do(h, http.MethodDelete, path+"/count", ""), 405, "DELETE") // not a ride of that name
}

func TestGet(t *testing.T) { servetest.Each(t, testGet) }

func testGet(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice", "bob", "carol"), false)
	do(h, http.MethodPost, path, ride("alice", "03-03-2026:01-02-12", "1", `"2"`))
	const one = path + "/1"
	want(t, do(h, http.MethodGet, one, ""), 200,
		`{"rideId":1,"created_by":"alice","users":[],"timestamp":"03-03-2026:01-02-12","source":1,"destination":2}`)
	do(h, http.MethodPost, one, rider("carol"))
	do(h, http.MethodPost, one, rider("bob"))
	want(t, do(h, http.MethodGet, one, ""), 200,
		`{"rideId":1,"created_by":"alice","users":["carol","bob"],"timestamp":"03-03-2026:01-02-12","source":1,"destination":2}`)
	for id, status := range map[string]int{
		"2": 204, "0": 204, "9223372036854775807": 204, "9223372036854775808": 204,
		"99999999999999999999999": 204, "001": 200,
		"-1": 400, "+1": 400, "x": 400, "1.0": 400, "1e3": 400, "0x1": 400, "%ff": 400, "1%2F2": 400, "%201": 400, "1%00": 400,
	} {
		if w := do(h, http.MethodGet, path+"/"+id, ""); w.Code != status {
			t.Errorf("%s: %d, want %d: %s", id, w.Code, status, w.Body)
		}
	}
}

// Both queries have to be one read: else a snapshot lies between them.
func TestGetIsOneRead(t *testing.T) { servetest.Each(t, testGetIsOneRead) }

func testGetIsOneRead(t *testing.T, via servetest.Driver) {
	reads := 0
	h, _ := setup(via, &dbclient.Fake{ReadFunc: func(_ context.Context, r db.Read) (db.ReadResult, error) {
		reads++
		if len(r.Queries) != 2 {
			t.Errorf("%d queries", len(r.Queries))
		}
		return db.ReadResult{Results: make([]db.QueryResult, 2)}, nil
	}}, false)
	want(t, do(h, http.MethodGet, path+"/1", ""), 204, "")
	want(t, do(h, http.MethodGet, "/healthz", ""), 200, "{}")
	want(t, do(h, http.MethodGet, "/readyz", ""), 200, "{}")
	if reads != 1 {
		t.Errorf("%d reads", reads)
	}
}

func TestConsistencyToken(t *testing.T) { servetest.Each(t, testConsistencyToken) }

func testConsistencyToken(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice"), false)
	w := do(h, http.MethodPost, path, ride("alice", "03-03-2026:01-02-12", "1", "2"))
	token := w.Header().Get(consistency.Header)
	if token != "1.2" {
		t.Errorf("token %q", token)
	}
	w = do(h, http.MethodGet, path+"/count", "", consistency.Header, token)
	want(t, w, 200, "[1]")
	if got := w.Header().Get(consistency.Header); got != token {
		t.Errorf("token %q", got)
	}
	want(t, do(h, http.MethodGet, path+"/count", "", consistency.Header, "new"), 400, consistency.Header)
}
