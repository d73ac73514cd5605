package orchestrator

import (
	"net/http"
	"testing"

	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/serve/servetest"
)

// FuzzBodies: no input gets a 500.
func FuzzBodies(f *testing.F) {
	for _, b := range []string{alice, aRide, count, `{"ops":[{"update":"rides","set":{"source":1},"where":[{"column":"created_by","op":"in","value":["a",1]}]}]}`,
		`{"queries":[{"table":"rides","order_by":[{"column":"source","desc":true},"ride_id"],"limit":-1}],"consistency":"session","after":"1.x"}`,
		`{"count":3}`, `{"to":"x"}`, `[[[[`, "\xff"} {
		f.Add(b, "1.2")
	}
	h := open(servetest.Direct, over(&dbtest.DB{}))
	f.Fuzz(func(t *testing.T, body, token string) {
		for _, path := range []string{writePath, readPath} {
			if w := do(h, http.MethodPost, path, body, "Consistency-Token", token, "Idempotency-Key", token); w.Code >= 500 {
				t.Errorf("%s %q, token %q: %d %s", path, body, token, w.Code, w.Body)
			}
		}
	})
}
