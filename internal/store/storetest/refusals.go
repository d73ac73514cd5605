package storetest

import (
	"fmt"

	"rideshare/internal/db"
)

func testConstraints(f *fixture) {
	f.migrated("ann", "bob")
	f.write(ride(1, "ann"), rider(1, "ann"))
	before := f.checksum()
	tests := []struct {
		name string
		ops  []db.Op
		kind db.Kind
		op   int
	}{
		{"text key", []db.Op{user("cid"), user("bob")}, db.Duplicate, 1},
		{"integer key", []db.Op{ride(1, "bob")}, db.Duplicate, 0},
		{"key of two columns", []db.Op{rider(1, "bob"), rider(1, "ann")}, db.Duplicate, 1},
		{"twice in one request", []db.Op{user("cid"), user("dan"), user("cid")}, db.Duplicate, 2},
		{"no creator", []db.Op{ride(2, "Ann")}, db.ForeignKey, 0},
		{"no ride", []db.Op{rider(1, "bob"), rider(9, "bob")}, db.ForeignKey, 1},
		{"no rider", []db.Op{rider(1, "eve")}, db.ForeignKey, 0},
		{"referred to too late", []db.Op{ride(2, "eve"), user("eve")}, db.ForeignKey, 0},
		{"update to no creator", []db.Op{{Update: "rides", Set: map[string]db.Value{"created_by": "eve"}}}, db.ForeignKey, 0},
	}
	for _, test := range tests {
		_, err := f.try(test.ops...)
		if !db.FailedOp(err, test.kind, test.op) {
			f.Errorf("%s: %v, want %s of op %d", test.name, err, test.kind, test.op)
		}
	}
	f.same("unchanged", f.checksum(), before)
	f.same("referred to in time", f.write(user("eve"), ride(2, "eve"), rider(2, "eve")), []int64{1, 1, 1})
}

// testUndo: the savepoint is the call's, and the transaction goes on after it.
func testUndo(f *fixture) {
	f.migrated("ann")
	tx := f.begin()
	execute := func(requests ...[]db.Op) error {
		for i := range requests {
			if len(requests[i]) > 0 {
				requests[i] = checked(f, requests[i]...)
			}
		}
		results, err := tx.Execute(f.ctx, requests...)
		if err == nil {
			f.same("a result per request", len(results), len(requests))
		}
		return err
	}
	f.ok(execute())
	f.ok(execute([]db.Op{user("bob")}, []db.Op{}, []db.Op{user("cid"), ride(1, "bob")}))
	err := execute([]db.Op{user("dan"), ride(2, "dan")}, []db.Op{{Delete: "rides"}, user("eve"), user("ann")})
	f.same("index within the request", db.FailedOp(err, db.Duplicate, 2), true)
	err = execute([]db.Op{{Clear: true}, {Check: "users", Expect: db.Rows(1)}})
	f.same("clear is undone", db.FailedOp(err, db.Expectation, 1), true)
	err = execute([]db.Op{user("ann")}, []db.Op{user("fay")})
	f.same("first of two", db.FailedOp(err, db.Duplicate, 0), true)
	f.ok(execute([]db.Op{user("gus"), {Check: "rides", Expect: db.Rows(1)}}))
	f.ok(tx.Commit(f.ctx, f.next()))
	f.same("users", f.column("users", "username", nil), []any{"ann", "bob", "cid", "gus"})
	f.same("rides", f.count("rides"), int64(1))
}

// testRun: inserts of many requests may be executed together, and still fail alone.
func testRun(f *fixture) {
	f.migrated("taken")
	for _, n := range []int{1, 2, 63, 64, 65, 200} {
		for _, wrong := range []int{0, n / 2, n - 1} {
			tx := f.begin()
			requests := make([][]db.Op, n)
			for i := range requests {
				requests[i] = []db.Op{user(fmt.Sprint("even", i)), user(fmt.Sprint("odd", i))}
			}
			requests[wrong][1] = user("taken")
			_, err := tx.Execute(f.ctx, requests...)
			f.same("refused", db.FailedOp(err, db.Duplicate, 1), true)
			requests[wrong] = nil
			results, err := tx.Execute(f.ctx, requests...)
			f.ok(err)
			for i, r := range results {
				f.same("results", len(r), len(requests[i]))
			}
			_, err = tx.Execute(f.ctx, checked(f, db.Op{Check: "users", Expect: db.Rows(int64(2*n - 1))}))
			f.ok(err)
			f.ok(tx.Rollback())
		}
	}
}

// testUnchecked: what the schema does not have never gets into a statement.
func testUnchecked(f *fixture) {
	f.migrated("ann")
	for _, op := range []db.Op{
		{Insert: "users; DROP TABLE users"},
		{Delete: "replica_state"},
		{Delete: "users", Where: []db.Condition{eq("1=1 OR username", "x")}},
		{Delete: "users", Where: []db.Condition{db.Where("username", "= '' OR 1 =", "x")}},
		{Delete: "users", Where: []db.Condition{db.Where("username", db.In, "x")}},
		{Insert: "users", Values: map[string]db.Value{"username": db.Next("users"), "password_hash": ""}},
	} {
		tx := f.begin()
		_, err := tx.Execute(f.ctx, []db.Op{user("bob")}, []db.Op{op})
		f.same("fails", err != nil && db.KindOf(err) == "", true)
		_, again := tx.Execute(f.ctx, []db.Op{user("bob")})
		f.same("is broken", again != nil, true)
		f.same("does not commit", tx.Commit(f.ctx, f.next()) != nil, true)
	}
	for _, q := range []db.Query{
		{Table: "replica_state"},
		{Table: "users", Columns: []string{"1"}},
		{Table: "users", Columns: []string{"username"}, OrderBy: []db.Order{{Column: "1"}}},
	} {
		_, err := f.Read(f.ctx, db.Read{Queries: []db.Query{q}})
		f.same("fails", err != nil, true)
	}
	f.same("users", f.column("users", "username", nil), []any{"ann"})
}
