package orchestrator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/serve/servetest"
)

// BenchmarkHandler measures what a request costs the function, with a bus that answers at once: the write of a
// new ride, a read of one ride, and a list of a hundred.
func BenchmarkHandler(b *testing.B) {
	departs := time.Date(2026, 12, 25, 8, 30, 0, 0, time.UTC)
	ride := db.Row{"ride_id": int64(7), "created_by": "alice", "source": int64(1), "destination": int64(2), "departs_at": departs}
	rows := make([]db.Row, 100)
	for i := range rows {
		rows[i] = ride
	}
	read := func(rows []db.Row) []byte {
		return db.Reply{Read: &db.ReadResult{Results: []db.QueryResult{{Rows: rows}, {Rows: []db.Row{{"username": "bob"}}}}}}.Encode()
	}
	const oneRide = `{"queries":[{"table":"rides","where":[{"column":"ride_id","op":"=","value":7}]},` +
		`{"table":"riders","columns":["username"],"where":[{"column":"ride_id","op":"=","value":7}],"order_by":[{"column":"joined"}]}],"consistency":"session","after":"1.2"}`
	for _, c := range []struct {
		name, path, body string
		reply            []byte
	}{
		{"Write", writePath, aRide, db.Reply{Digest: "d1", Write: &db.WriteResult{Results: []db.OpResult{{Rows: 1, Values: map[string]db.Value{"ride_id": int64(7)}}}}}.Encode()},
		{"Read", readPath, oneRide, read(rows[:1])},
		{"List", readPath, oneRide, read(rows)},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := open(servetest.Direct, answering(string(c.reply), nil))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
				r.Header.Set("Idempotency-Key", "0b0d9f7e-4f0a-4b5e-9a53-d0a9d5d0f6b4")
				r.Header.Set("Request-Digest", "d1")
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
