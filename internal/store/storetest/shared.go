package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"rideshare/internal/db"
)

// byName is a read by key: those that come at the same time may share a snapshot.
func byName(name any) db.Read {
	return db.Read{Queries: []db.Query{
		{Table: "users", Columns: []string{"password_hash"}, Where: []db.Condition{eq("username", name)}},
		{Table: "users", Count: true, Where: []db.Condition{eq("username", name)}},
	}}
}

// testSharedReads: beside a writer, each of many reads at a time sees the state at its position,
// which is not before what was committed when it began. One that fails, or whose caller has gone,
// is so alone.
func testSharedReads(f *fixture) {
	const callers, each = 64, 50
	f.migrated("ann")
	change := func() {
		f.write(db.Op{
			Update: "users", Set: map[string]db.Value{"password_hash": fmt.Sprint("at ", f.seq+1)},
			Where: []db.Condition{eq("username", "ann")}, Expect: db.Rows(1),
		})
	}
	change()
	var committed atomic.Uint64
	committed.Store(f.seq)
	over, cancel := context.WithCancel(f.ctx)
	cancel()
	bad := []func() error{
		func() error {
			if _, err := f.Read(f.ctx, byName(unchecked{})); err == nil || errors.Is(err, context.Canceled) {
				return fmt.Errorf("an unchecked read: %w", err)
			}
			return nil
		},
		func() error {
			if _, err := f.Read(over, byName("ann")); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("a read that nobody waits for: %w", err)
			}
			return nil
		},
		func() error {
			ctx, cancel := context.WithCancel(f.ctx)
			go cancel()
			if _, err := f.Read(ctx, byName("ann")); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("a read that is given up: %w", err)
			}
			return nil
		},
	}
	good := func() error {
		since := committed.Load()
		got, err := f.Read(f.ctx, byName("ann"))
		if err != nil {
			return err
		}
		rows, count, at := got.Results[0].Rows, *got.Results[1].Count, got.Position.Seq
		if len(rows) != 1 || rows[0].Text("password_hash") != fmt.Sprint("at ", at) || count != 1 || at < since {
			return fmt.Errorf("at %d after %d: %v and a count of %d", at, since, rows, count)
		}
		return nil
	}
	var reads sync.WaitGroup
	var left atomic.Int64
	left.Store(callers)
	for caller := range callers {
		reads.Go(func() {
			defer left.Add(-1)
			for n := range each {
				read := good
				if kind := (caller + n) % 97; kind < len(bad) { // so that most snapshots have one, and some have none
					read = bad[kind]
				}
				if err := read(); err != nil {
					f.Error(err)
					return
				}
			}
		})
	}
	for left.Load() > 0 {
		change()
		committed.Store(f.seq)
	}
	reads.Wait()
}

// unchecked is a value that no checked request has.
type unchecked struct{}
