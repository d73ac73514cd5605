package storetest

import (
	"bytes"
	"fmt"
	"sync"

	"rideshare/internal/db"
)

func testIsolation(f *fixture) {
	f.migrated("ann")
	sum, before := f.checksum(), f.export()
	tx := f.begin()
	_, err := tx.Execute(f.ctx, []db.Op{user("bob"), {Delete: "users", Where: []db.Condition{eq("username", "ann")}}})
	f.ok(err)
	f.same("users", f.column("users", "username", nil), []any{"ann"})
	got, err := f.State(f.ctx)
	f.ok(err)
	f.same("state", got, state(f.seq))
	f.same("checksum", f.checksum(), sum)
	f.same("snapshot", bytes.Equal(f.export(), before), true)
	f.ok(f.Ping(f.ctx))
	f.ok(tx.Commit(f.ctx, f.next()))
	f.same("users after", f.column("users", "username", nil), []any{"bob"})
	f.same("checksum after", f.checksum() != sum, true)
}

// testSnapshotRead: beside a writer, every read sees one state, of which its position speaks.
func testSnapshotRead(f *fixture) {
	const entries = 60
	f.migrated()
	first := f.seq
	r := db.Read{Queries: []db.Query{{Table: "users", Count: true}, {Table: "rides"}, {Table: "users"}}}
	f.ok(r.Check())
	var readers sync.WaitGroup
	for range 6 {
		readers.Go(func() {
			for last := first; last < first+entries; {
				got, err := f.Read(f.ctx, r)
				if err != nil {
					f.Error(err)
					return
				}
				n := got.Position.Seq - first
				a, b, c := *got.Results[0].Count, len(got.Results[1].Rows), len(got.Results[2].Rows)
				if got.Position.Seq < last || a != int64(n) || b != int(n) || c != int(n) {
					f.Errorf("at %s after %d: %d, %d and %d rows", got.Position, last, a, b, c)
					return
				}
				last = got.Position.Seq
			}
		})
	}
	for i := range int64(entries) {
		name := fmt.Sprint("user", i)
		f.write(user(name), ride(i, name))
	}
	readers.Wait()
}
