package orchestrator

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"rideshare/internal/bus"
	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/serve/servetest"
)

const (
	writePath = "/api/v1/db/write"
	readPath  = "/api/v1/db/read"
	clearPath = "/api/v1/db/clear"

	alice = `{"ops":[{"insert":"users","values":{"username":"alice","password_hash":"x"}}]}`
	aRide = `{"ops":[{"insert":"rides","values":{"ride_id":{"$next":"rides"},"created_by":"alice","source":1,"destination":2,"departs_at":"2026-12-25T08:30:00Z"}}]}`
	count = `{"queries":[{"table":"rides","count":true}]}`
)

func TestWriteAndRead(t *testing.T) { servetest.Each(t, testWriteAndRead) }

func testWriteAndRead(t *testing.T, via servetest.Driver) {
	h := open(via, over(&dbtest.DB{}))
	want(t, do(h, http.MethodPost, writePath, alice), 200, `{"results":[{"rows":1}],"position":"1.1"}`)
	w := do(h, http.MethodPost, writePath, aRide)
	want(t, w, 200, `{"results":[{"rows":1,"values":{"ride_id":1}}],"position":"1.2"}`)
	if got := w.Header().Get(consistency.Header); got != "1.2" {
		t.Errorf("token %q", got)
	}
	want(t, do(h, http.MethodPost, readPath, `{"queries":[{"table":"rides","columns":["ride_id","departs_at"],"order_by":["ride_id"]},{"table":"rides","count":true}]}`),
		200, `{"results":[{"rows":[{"departs_at":"2026-12-25T08:30:00Z","ride_id":1}]},{"count":1}],"position":"1.2"}`)
	// The instance's newest, where the request knows none.
	if got := do(h, http.MethodPost, writePath, `{`).Header().Get(consistency.Header); got != "1.2" {
		t.Errorf("token of an error %q", got)
	}
}

func TestWriteErrors(t *testing.T) { servetest.Each(t, testWriteErrors) }

func testWriteErrors(t *testing.T, via servetest.Driver) {
	database := &dbtest.DB{}
	h := open(via, over(database))
	want(t, do(h, http.MethodPost, writePath, alice), 200, `{"results":[{"rows":1}],"position":"1.1"}`)
	for name, c := range map[string]struct {
		body   string
		status int
		kind   db.Kind
		op     int
		field  string
	}{
		"duplicate":      {alice, 409, db.Duplicate, 0, ""},
		"foreign key":    {strings.Replace(aRide, "alice", "bob", 1), 409, db.ForeignKey, 0, ""},
		"expectation":    {`{"ops":[{"delete":"riders"},{"check":"users","expect":2}]}`, 409, db.Expectation, 1, ""},
		"empty":          {``, 400, "", -1, ""},
		"null":           {`null`, 400, db.Invalid, -1, "ops"},
		"no JSON":        {`{"ops":`, 400, db.Invalid, -1, "ops"},
		"no ops":         {`{"ops":[]}`, 400, db.Invalid, -1, "ops"},
		"unknown member": {`{"ops":[],"x":1}`, 400, db.Invalid, -1, ""},
		"unknown table":  {`{"ops":[{"delete":"state"}]}`, 400, db.Invalid, -1, "ops[0].delete"},
		"unknown column": {`{"ops":[{"delete":"users","where":[{"column":"x","op":"=","value":1}]}]}`, 400, db.Invalid, -1, "ops[0].where[0].column"},
		"clear":          {`{"ops":[{"clear":true}]}`, 400, db.Invalid, -1, "ops[0].clear"},
		"forget":         {`{"ops":[{"delete":"users","forget":"2026-01-01T00:00:00Z"}]}`, 400, db.Invalid, -1, "ops[0].forget"},
		"a column twice": {`{"ops":[{"insert":"users","values":{"username":"a","username":"b","password_hash":"x"}}]}`, 400, db.Invalid, -1, "ops[0].values.username"},
		"half a pair":    {`{"ops":[{"delete":"users","where":[{"column":"username","op":"=","value":"\ud800"}]}]}`, 400, db.Invalid, -1, "ops[0].where[0].value"},
		"migrate":        {`{"ops":[{"migrate":2}]}`, 400, db.Invalid, -1, "ops[0].migrate"},
		"invalid UTF-8":  {"{\"ops\":[{\"delete\":\"\xff\"}]}", 400, db.Invalid, -1, "ops[0].delete"},
		"another case":   {`{"OPS":[]}`, 400, db.Invalid, -1, "OPS"},
		"deep":           {strings.Repeat("[", 100_000), 400, db.Invalid, -1, ""},
		"a huge number":  {`{"ops":[{"delete":"rides","where":[{"column":"ride_id","op":"=","value":1e999}]}]}`, 400, db.Invalid, -1, "ops[0].where[0].value"},
	} {
		t.Run(name, func(t *testing.T) {
			p := want(t, do(h, http.MethodPost, writePath, c.body), c.status, "")
			if p.Kind != c.kind || (c.op >= 0) != (p.Op != nil) || p.Op != nil && *p.Op != c.op || c.field != "" && p.Field != c.field {
				t.Errorf("%+v", p)
			}
		})
	}
	want(t, do(h, http.MethodPost, readPath, `{"queries":[{"table":"users","count":true}]}`), 200, `{"results":[{"count":1}],"position":"1.1"}`)
}

func TestNumbersStayExact(t *testing.T) { servetest.Each(t, testNumbersStayExact) }

func testNumbersStayExact(t *testing.T, via servetest.Driver) {
	var got []byte
	h := open(via, &fakeBus{call: func(_ context.Context, _ bus.Queue, r bus.Request) ([]byte, error) {
		got = r.Body
		return db.Reply{Write: &db.WriteResult{}}.Encode(), nil
	}})
	do(h, http.MethodPost, writePath, `{"ops":[{"delete":"rides","where":[{"column":"ride_id","op":"=","value":9007199254740993}]}]}`)
	if !strings.Contains(string(got), "9007199254740993") {
		t.Errorf("the worker gets %s", got)
	}
}

func TestReadConsistency(t *testing.T) { servetest.Each(t, testReadConsistency) }

func testReadConsistency(t *testing.T, via servetest.Driver) {
	var got db.Read
	h := open(via, &fakeBus{call: func(_ context.Context, _ bus.Queue, r bus.Request) ([]byte, error) {
		got, _ = db.DecodeRead(r.Body)
		return db.Reply{Read: &db.ReadResult{}}.Encode(), nil
	}})
	for name, c := range map[string]struct {
		members, token string
		level          db.Consistency
		after          string
	}{
		"nothing":         {``, "", db.Eventual, "0.0"},
		"after":           {`,"after":"1.5"`, "", db.Session, "1.5"},
		"token":           {``, "1.6", db.Session, "1.6"},
		"the newer wins":  {`,"after":"1.5"`, "1.6", db.Session, "1.6"},
		"an old token":    {`,"after":"1.5"`, "1.4", db.Session, "1.5"},
		"strong":          {`,"consistency":"strong"`, "", db.Strong, "0.0"},
		"strong, a token": {`,"consistency":"strong"`, "1.6", db.Strong, "1.6"},
	} {
		do(h, http.MethodPost, readPath, `{"queries":[{"table":"rides","count":true}]`+c.members+`}`, consistency.Header, c.token)
		if got.Consistency != c.level || got.After.String() != c.after {
			t.Errorf("%s: %s after %s", name, got.Consistency, got.After)
		}
	}
}

func TestBadPosition(t *testing.T) { servetest.Each(t, testBadPosition) }

func testBadPosition(t *testing.T, via servetest.Driver) {
	h := open(via, over(&dbtest.DB{}))
	w := do(h, http.MethodPost, readPath, count, consistency.Header, "1.99")
	if p := want(t, w, 400, "does not reach"); p.Kind != db.BadPosition {
		t.Errorf("%+v", p)
	}
	if got := w.Header().Get(consistency.Header); got != "0.0" {
		t.Errorf("the bad token comes back: %q", got)
	}
}

func TestClear(t *testing.T) { servetest.Each(t, testClear) }

func testClear(t *testing.T, via servetest.Driver) {
	h := open(via, over(&dbtest.DB{}))
	for range 2 {
		do(h, http.MethodPost, writePath, alice)
		w := do(h, http.MethodPost, writePath, aRide)
		if !strings.Contains(w.Body.String(), `"ride_id":1`) {
			t.Errorf("the sequence did not start again: %s", w.Body)
		}
		want(t, do(h, http.MethodPost, clearPath, ""), 200, "{}")
	}
	w := do(h, http.MethodPost, readPath, count)
	if !strings.Contains(w.Body.String(), `"count":0`) {
		t.Errorf("%s", w.Body)
	}
}

func TestIdempotency(t *testing.T) { servetest.Each(t, testIdempotency) }

func testIdempotency(t *testing.T, via servetest.Driver) {
	var ids []string
	database := &dbtest.DB{}
	h := open(via, &fakeBus{call: func(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
		if q == bus.Writes {
			ids = append(ids, r.ID)
		}
		return database.Call(ctx, q, r), nil
	}})
	do(h, http.MethodPost, writePath, alice)
	key := []string{"Idempotency-Key", "k"}
	first := do(h, http.MethodPost, writePath, aRide, key...)
	if again := do(h, http.MethodPost, writePath, aRide, key...); again.Body.String() != first.Body.String() {
		t.Errorf("first %s, then %s", first.Body, again.Body)
	}
	do(h, http.MethodPost, clearPath, "", key...)
	if len(ids) != 4 || ids[0] == "" || ids[1] != ids[2] || ids[2] == ids[3] || ids[1] == "k" {
		t.Errorf("ids %q", ids)
	}
	want(t, do(h, http.MethodPost, writePath, aRide, "Idempotency-Key", "ü"), 400, "Idempotency-Key")
}

func TestAnotherBodyUnderAKey(t *testing.T) { servetest.Each(t, testAnotherBodyUnderAKey) }

func testAnotherBodyUnderAKey(t *testing.T, via servetest.Driver) {
	h := open(via, over(&dbtest.DB{}))
	key := []string{"Idempotency-Key", "k"}
	do(h, http.MethodPost, writePath, alice, key...)
	for range 2 {
		p := want(t, do(h, http.MethodPost, writePath, aRide, key...), 422, "another body")
		if p.Kind != db.KeyReused || p.Field != "Idempotency-Key" {
			t.Errorf("%+v", p)
		}
		want(t, do(h, http.MethodPost, writePath, " "+alice, key...), 200, `{"results":[{"rows":1}],"position":"1.1"}`)
	}
	// A refusal belongs to its request as well.
	refused := []string{"Idempotency-Key", "refused"}
	want(t, do(h, http.MethodPost, writePath, alice, refused...), 409, "")
	want(t, do(h, http.MethodPost, writePath, aRide, refused...), 422, "")
	want(t, do(h, http.MethodPost, writePath, alice, refused...), 409, "")
	// A request that was refused for its form has not used its key.
	malformed := []string{"Idempotency-Key", "malformed"}
	want(t, do(h, http.MethodPost, writePath, `{"ops":[]}`, malformed...), 400, "")
	want(t, do(h, http.MethodPost, writePath, aRide, malformed...), 200, `{"results":[{"rows":1,"values":{"ride_id":1}}],"position":"1.2"}`)
	// A function says which request its write comes from.
	forwarded := []string{"Idempotency-Key", "f", "Request-Digest", "d1"}
	want(t, do(h, http.MethodPost, writePath, aRide, forwarded...), 200, `{"results":[{"rows":1,"values":{"ride_id":2}}],"position":"1.3"}`)
	want(t, do(h, http.MethodPost, writePath, alice, forwarded...), 200, `{"results":[{"rows":1,"values":{"ride_id":2}}],"position":"1.3"}`)
	forwarded[3] = "d2"
	want(t, do(h, http.MethodPost, writePath, aRide, forwarded...), 422, "")
	forwarded[3] = "no,digest"
	want(t, do(h, http.MethodPost, writePath, aRide, forwarded...), 400, "")

	want(t, do(h, http.MethodPost, clearPath, "", key...), 200, "{}")
	want(t, do(h, http.MethodPost, clearPath, "{}", key...), 422, "")
	want(t, do(h, http.MethodPost, writePath, alice, refused...), 200, `{"results":[{"rows":1}],"position":"1.5"}`)
	want(t, do(h, http.MethodPost, clearPath, "", key...), 200, "{}")
	want(t, do(h, http.MethodPost, writePath, alice, refused...), 200, `{"results":[{"rows":1}],"position":"1.5"}`)
}

// Replies that earlier programs have stored have no digest.
func TestRepliesWithoutADigest(t *testing.T) { servetest.Each(t, testRepliesWithoutADigest) }

func testRepliesWithoutADigest(t *testing.T, via servetest.Driver) {
	h := open(via, answering(`{"write":{"results":[{"rows":1}],"position":"1.1"}}`, nil))
	want(t, do(h, http.MethodPost, writePath, alice, "Idempotency-Key", "k"), 200, `{"results":[{"rows":1}],"position":"1.1"}`)
}
