package rides

import (
	"net/http"
	"strings"
	"testing"

	"rideshare/internal/db"
	"rideshare/internal/serve/servetest"
)

func TestCreate(t *testing.T) { servetest.Each(t, testCreate) }

func testCreate(t *testing.T, via servetest.Driver) {
	const at = "25-12-2026:00-30-08"
	for name, c := range map[string]struct {
		body   string
		status int
		answer string
	}{
		"good":                  {ride("alice", at, "1", "198"), 201, `{"rideId":1}`},
		"numeric strings":       {ride("alice", at, `"1"`, `"0198"`), 201, `{"rideId":1}`},
		"in the past":           {ride("alice", "01-01-1000:00-00-00", "1", "2"), 201, `{"rideId":1}`},
		"a leap day":            {ride("alice", "29-02-2028:59-59-23", "1", "2"), 201, `{"rideId":1}`},
		"the last year":         {ride("alice", "31-12-9999:59-59-23", "1", "2"), 201, `{"rideId":1}`},
		"unknown user":          {ride("bob", at, "1", "2"), 400, "no such user"},
		"bad user":              {ride("a/b", at, "1", "2"), 400, "created_by"},
		"no such day":           {ride("alice", "31-02-2026:00-00-00", "1", "2"), 400, "timestamp"},
		"no such leap day":      {ride("alice", "29-02-2026:00-00-00", "1", "2"), 400, "timestamp"},
		"no such hour":          {ride("alice", "01-02-2026:00-00-24", "1", "2"), 400, "timestamp"},
		"no such second":        {ride("alice", "01-02-2026:60-00-00", "1", "2"), 400, "timestamp"},
		"a short hour":          {ride("alice", "01-02-2026:00-00-5", "1", "2"), 400, "timestamp"},
		"a fraction":            {ride("alice", "01-02-2026:00.5-00-5", "1", "2"), 400, "timestamp"},
		"ISO":                   {ride("alice", "2026-02-01T00:00:00Z", "1", "2"), 400, "timestamp"},
		"year 999":              {ride("alice", "31-12-0999:59-59-23", "1", "2"), 400, "1000"},
		"an empty timestamp":    {ride("alice", "", "1", "2"), 400, "timestamp"},
		"area 0":                {ride("alice", at, "0", "2"), 400, "source"},
		"area 199":              {ride("alice", at, "1", "199"), 400, "destination"},
		"a negative area":       {ride("alice", at, "-1", "2"), 400, "source"},
		"a fraction of an area": {ride("alice", at, "1.5", "2"), 400, "source"},
		"a huge area":           {ride("alice", at, "1e400", "2"), 400, ""},
		"a large area":          {ride("alice", at, "99999999999999999999", "2"), 400, "source"},
		"a word":                {ride("alice", at, `"one"`, "2"), 400, "source"},
		"a padded string":       {ride("alice", at, `" 1"`, "2"), 400, "source"},
		"no area":               {ride("alice", at, "null", "2"), 400, "source"},
		"an object":             {ride("alice", at, `{"a":1}`, "2"), 400, "source"},
		"the same area":         {ride("alice", at, "2", `"2"`), 400, "same"},
		"a missing field":       {`{"created_by":"alice","timestamp":"` + at + `","source":1}`, 400, "destination"},
		"an unknown field":      {`{"created_by":"alice","timestamp":"` + at + `","source":1,"destination":2,"rideId":9}`, 400, "rideId"},
		"deep":                  {strings.Repeat(`{"source":`, 100_000), 400, ""},
		"quotes":                {ride(`alice' OR '1'='1`, at, "1", "2"), 400, "no such user"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := setup(via, people(t, "alice"), false)
			want(t, do(h, http.MethodPost, path, c.body), c.status, c.answer)
		})
	}
}

func TestNumbersAreNeverUsedTwice(t *testing.T) { servetest.Each(t, testNumbersAreNeverUsedTwice) }

func testNumbersAreNeverUsedTwice(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, people(t, "alice"), false)
	body := ride("alice", "25-12-2026:00-30-08", "1", "2")
	want(t, do(h, http.MethodPost, path, body), 201, `{"rideId":1}`)
	want(t, do(h, http.MethodDelete, path+"/1", ""), 200, `{}`)
	want(t, do(h, http.MethodPost, path, body), 201, `{"rideId":2}`)
}

func TestIdempotency(t *testing.T) { servetest.Each(t, testIdempotency) }

func testIdempotency(t *testing.T, via servetest.Driver) {
	database := people(t, "alice", "bob")
	h, tokens := setup(via, database, true)
	alice, bob := tokenOf(t, database, tokens, "alice"), tokenOf(t, database, tokens, "bob")
	create := func(who, token, key string) string {
		w := do(h, http.MethodPost, path, ride(who, "25-12-2026:00-30-08", "1", "2"),
			"Idempotency-Key", key, "Authorization", "Bearer "+token)
		if w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return strings.TrimSpace(w.Body.String())
	}
	first := create("alice", alice, "k")
	if again := create("alice", alice, "k"); again != first {
		t.Errorf("the same key: %s, then %s", first, again)
	}
	if other := create("bob", bob, "k"); other == first {
		t.Error("the same key of another user got the same ride")
	}
	_, err := database.Write(t.Context(), "", db.Write{Ops: []db.Op{
		{Delete: "users", Where: []db.Condition{db.Where("username", db.Eq, "alice")}},
		{Insert: "users", Values: map[string]db.Value{"username": "alice", "password_hash": "x"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	alice = tokenOf(t, database, tokens, "alice")
	if other := create("alice", alice, "k"); other == first {
		t.Error("the same key of the next user of that name got the same ride")
	}
	if other := create("alice", alice, "l"); other == first {
		t.Error("another key got the same ride")
	}
}
