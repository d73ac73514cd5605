package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

func testDurable(f *fixture) {
	f.migrated(names...)
	b := f.next()
	b.Sequences, b.Replies = db.Sequences{"rides": 5}, []store.StoredReply{reply("a", departure)}
	f.ok(f.begin().Commit(f.ctx, b))
	sum, before := f.checksum(), f.export()
	f.ok(f.Store.Close())
	f.ok(f.Store.Close())
	f.reopen()
	f.same("checksum", f.checksum(), sum)
	f.same("snapshot", bytes.Equal(f.export(), before), true)
	f.write(user("after"))
	f.ok(f.Intact())
}

func testRollback(f *fixture) {
	f.migrated("ann")
	sum := f.checksum()
	tx := f.begin()
	_, err := tx.Execute(f.ctx, []db.Op{user("bob"), {Delete: "users"}})
	f.ok(err)
	f.ok(tx.Rollback())
	f.ok(tx.Rollback())
	f.same("checksum", f.checksum(), sum)
	f.write(user("bob"))
}

// testOver: a transaction that is over does nothing, also where the next one has begun.
func testOver(f *fixture) {
	f.migrated()
	old := f.begin()
	f.ok(old.Commit(f.ctx, f.next()))
	tx := f.begin()
	_, err := old.Execute(f.ctx, []db.Op{user("ann")})
	f.same("execute", err != nil, true)
	_, err = old.Sequences(f.ctx)
	f.same("sequences", err != nil, true)
	f.same("commit", old.Commit(f.ctx, f.next()) != nil, true)
	f.ok(old.Rollback())
	_, err = tx.Execute(f.ctx, []db.Op{user("bob")})
	f.ok(err)
	f.ok(tx.Commit(f.ctx, f.next()))
	f.same("users", f.column("users", "username", nil), []any{"bob"})
}

func testCloseUndoes(f *fixture) {
	f.migrated("ann")
	sum := f.checksum()
	for range 3 {
		tx := f.begin()
		_, err := tx.Execute(f.ctx, []db.Op{user("bob"), ride(1, "bob"), {Delete: "users", Where: []db.Condition{eq("username", "ann")}}})
		f.ok(err)
		f.ok(f.Store.Close())
		f.same("commit", errors.Is(tx.Commit(f.ctx, f.next()), store.ErrClosed), true)
		f.ok(tx.Rollback())
		f.reopen()
		f.same("checksum", f.checksum(), sum)
	}
	f.write(user("bob"))
}

func testClosed(f *fixture) {
	f.migrated("ann")
	tx := f.begin()
	f.ok(f.Store.Close())
	for name, call := range calls(f, f.Store, f.ctx) {
		if err := call(); !errors.Is(err, store.ErrClosed) {
			f.Errorf("%s: %v", name, err)
		}
	}
	_, err := tx.Execute(f.ctx, []db.Op{user("bob")})
	f.same("execute", errors.Is(err, store.ErrClosed), true)
}

// calls are all calls that take a context.
func calls(f *fixture, s store.Store, ctx context.Context) map[string]func() error {
	return map[string]func() error{
		"State":         func() error { _, err := s.State(ctx); return err },
		"SchemaVersion": func() error { _, err := s.SchemaVersion(ctx); return err },
		"Begin":         func() error { _, err := s.Begin(ctx); return err },
		"Read": func() error {
			_, err := s.Read(ctx, db.Read{Queries: []db.Query{{Table: "users", Count: true}}})
			return err
		},
		"Read by key": func() error { _, err := s.Read(ctx, byName("ann")); return err },
		"Checksum":    func() error { _, _, err := s.Checksum(ctx); return err },
		"Export":      func() error { _, err := s.Export(ctx, io.Discard); return err },
		"Import":      func() error { return s.Import(ctx, bytes.NewReader(nil)) },
		"Ping":        func() error { return s.Ping(ctx) },
	}
}

// testCloseBesideCalls: Close at any moment ends every call, and leaves a prefix of what was
// committed, which holds all that was said to be.
func testCloseBesideCalls(f *fixture) {
	f.migrated()
	for round := range 8 {
		s := f.Store
		seq := f.seq
		var callers sync.WaitGroup
		running := make(chan struct{}, 8)
		until := func(call func() error) {
			callers.Go(func() {
				for i := 0; ; i++ {
					if err := call(); err != nil {
						if !errors.Is(err, store.ErrClosed) {
							f.Error(err)
						}
						return
					}
					if i == round {
						running <- struct{}{}
					}
				}
			})
		}
		reads := calls(f, s, f.ctx)
		for _, name := range []string{"State", "Read", "Read by key", "Checksum", "Export", "Ping"} {
			until(reads[name])
		}
		until(func() error {
			tx, err := s.Begin(f.ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.Execute(f.ctx, []db.Op{user(fmt.Sprint("user", seq))}); err != nil {
				return err
			}
			if err := tx.Commit(f.ctx, store.Bookkeeping{State: state(seq + 1)}); err != nil {
				return err
			}
			seq++
			return nil
		})
		for range 7 {
			<-running
		}
		f.ok(s.Close())
		callers.Wait()
		f.reopen()
		got, err := f.State(f.ctx)
		f.ok(err)
		if got.Seq != seq && got.Seq != seq+1 { // the last one may or may not have been committed
			f.Fatalf("at %d, %d was acknowledged", got.Seq, seq)
		}
		f.same("users", f.count("users"), int64(got.Seq-1))
		f.seq = got.Seq
	}
}

// testCloseBesideStreams: the other end of a stream may hang; Close does not wait for it.
func testCloseBesideStreams(f *fixture) {
	f.migrated()
	var ops []db.Op
	for i := range db.MaxOps {
		ops = append(ops, user(fmt.Sprintf("%0100d", i)))
	}
	f.write(ops...) // more than any buffer of ours
	snapshot := f.export()
	from, to := io.Pipe()
	in, out := io.Pipe()
	s := f.Store
	errs := make(chan error, 2)
	go func() { _, err := s.Export(f.ctx, to); errs <- err }()
	go func() { errs <- s.Import(f.ctx, in) }()
	_, err := io.ReadFull(from, make([]byte, 1000))
	f.ok(err)
	_, err = out.Write(snapshot[:len(snapshot)/2])
	f.ok(err)
	f.ok(s.Close())
	f.reopen()
	f.same("snapshot", bytes.Equal(f.export(), snapshot), true)
	f.ok(from.Close())
	f.ok(out.Close())
	for range 2 {
		f.same("closed", errors.Is(<-errs, store.ErrClosed), true)
	}
}
