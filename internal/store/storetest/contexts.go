package storetest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"rideshare/internal/db"
)

func testContexts(f *fixture) {
	f.migrated("ann")
	over, cancel := context.WithCancel(f.ctx)
	cancel()
	for name, call := range calls(f, f.Store, over) {
		if err := call(); !errors.Is(err, context.Canceled) {
			f.Errorf("%s: %v", name, err)
		}
	}
	f.same("users", f.count("users"), int64(1))
	f.write(user("bob"))
}

// testCancelledTx: a transaction in which a context ended can only be rolled back.
func testCancelledTx(f *fixture) {
	f.migrated("ann")
	sum := f.checksum()
	over, cancel := context.WithCancel(f.ctx)
	cancel()
	tx := f.begin()
	_, err := tx.Execute(f.ctx, []db.Op{user("bob")})
	f.ok(err)
	_, err = tx.Execute(over, []db.Op{user("cid")})
	f.same("execute", errors.Is(err, context.Canceled), true)
	_, err = tx.Execute(f.ctx, []db.Op{user("dan")})
	f.same("broken", err != nil, true)
	f.same("commit", tx.Commit(f.ctx, f.next()) != nil, true)

	tx = f.begin()
	_, err = tx.Execute(f.ctx, []db.Op{user("bob")})
	f.ok(err)
	f.same("commit", errors.Is(tx.Commit(over, f.next()), context.Canceled), true)
	f.same("checksum", f.checksum(), sum)
	f.write(user("bob"))
}

// testOneWriter: who begins while another transaction is open waits, as long as its context does.
func testOneWriter(f *fixture) {
	f.migrated("ann")
	snapshot := f.export()
	tx := f.begin()
	short, cancel := context.WithTimeout(f.ctx, 5*time.Millisecond)
	defer cancel()
	_, err := f.Begin(short)
	f.same("begin", errors.Is(err, context.DeadlineExceeded), true)
	f.same("import", errors.Is(f.Import(short, bytes.NewReader(snapshot)), context.DeadlineExceeded), true)
	f.ok(tx.Rollback())
	f.ok(f.Import(f.ctx, bytes.NewReader(snapshot)))
	f.write(user("bob"))
}
