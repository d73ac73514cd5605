package rides

import (
	"net/http"
	"testing"

	"rideshare/internal/serve/servetest"
)

func TestJoin(t *testing.T) { servetest.Each(t, testJoin) }

func testJoin(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice", "bob"), false)
	do(h, http.MethodPost, path, ride("alice", "03-03-2026:00-00-12", "1", "2"))
	const one = path + "/1"
	want(t, do(h, http.MethodPost, one, rider("bob")), 200, "{}")
	want(t, do(h, http.MethodPost, one, rider("bob")), 400, "already")
	want(t, do(h, http.MethodPost, one, rider("alice")), 400, "creator")
	want(t, do(h, http.MethodPost, one, rider("nobody")), 400, "no such user")
	want(t, do(h, http.MethodPost, path+"/2", rider("bob")), 400, "no such ride")
	want(t, do(h, http.MethodPost, path+"/99999999999999999999", rider("bob")), 400, "no such ride")
	want(t, do(h, http.MethodPost, path+"/x", rider("bob")), 400, "rideId")
	for _, body := range []string{``, `{}`, `null`, `{"username":1}`, `{"username":""}`, `{"username":"a/b"}`, `{"username":"bob","x":1}`} {
		want(t, do(h, http.MethodPost, one, body), 400, "")
	}
}

// The same key gets the same answer, the reason for a failure included, whatever has changed.
func TestJoinAnswersRetriesAlike(t *testing.T) { servetest.Each(t, testJoinAnswersRetriesAlike) }

func testJoinAnswersRetriesAlike(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice", "bob"), false)
	key := []string{"Idempotency-Key", "k"}
	first := do(h, http.MethodPost, path+"/1", rider("bob"), key...)
	want(t, first, 400, "no such ride")
	do(h, http.MethodPost, path, ride("alice", "03-03-2026:00-00-12", "1", "2"))
	if again := do(h, http.MethodPost, path+"/1", rider("bob"), key...); again.Body.String() != first.Body.String() {
		t.Errorf("first %s, then %s", first.Body, again.Body)
	}
	want(t, do(h, http.MethodPost, path+"/1", rider("bob")), 200, "{}")
}

func TestRemove(t *testing.T) { servetest.Each(t, testRemove) }

func testRemove(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice", "bob"), false)
	do(h, http.MethodPost, path, ride("alice", "03-03-2026:00-00-12", "1", "2"))
	do(h, http.MethodPost, path+"/1", rider("bob"))
	want(t, do(h, http.MethodDelete, path+"/1", ""), 200, "{}")
	want(t, do(h, http.MethodDelete, path+"/1", ""), 400, "no such ride")
	want(t, do(h, http.MethodDelete, path+"/99999999999999999999", ""), 400, "no such ride")
	want(t, do(h, http.MethodDelete, path+"/x", ""), 400, "rideId")
	want(t, do(h, http.MethodGet, path+"/1", ""), 204, "")
}
