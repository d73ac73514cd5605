package storetest

import (
	"bytes"
	"errors"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

func testInsert(f *fixture) {
	f.migrated("ann")
	f.same("rows", f.write(ride(1, "ann"), rider(1, "ann")), []int64{1, 1})
	f.same("ride", f.query(db.Query{Table: "rides"}).Rows, []db.Row{{
		"ride_id": int64(1), "created_by": "ann", "source": int64(1), "destination": int64(1), "departs_at": departure,
	}})
	f.same("rider", f.query(db.Query{Table: "riders"}).Rows, []db.Row{
		{"ride_id": int64(1), "username": "ann", "joined": int64(1)},
	})
}

func testUpdate(f *fixture) {
	f.migrated("ann", "bob", "cid")
	set := map[string]db.Value{"password_hash": "new"}
	some := db.Op{Update: "users", Set: set, Where: []db.Condition{db.Where("username", db.In, []any{"ann", "bob", "eve"})}}
	f.same("matched", f.write(some), []int64{2})
	f.same("matched, though nothing changes", f.write(some), []int64{2})
	f.same("hashes", f.column("users", "password_hash", nil), []any{"new", "new", "hash of cid"})
	f.same("all", f.write(db.Op{Update: "users", Set: set}), []int64{3})
	f.same("none", f.write(db.Op{Update: "users", Set: set, Where: []db.Condition{eq("username", "Ann")}}), []int64{0})
	f.write(ride(1, "ann"))
	f.write(db.Op{Update: "rides", Set: map[string]db.Value{"source": -5, "departs_at": departure.AddDate(-100, 0, 0)}})
	row := f.query(db.Query{Table: "rides"}).Rows[0]
	f.same("source", row["source"], any(int64(-5)))
	f.same("departs_at", row["departs_at"], any(departure.AddDate(-100, 0, 0)))
}

func testUpdateKey(f *fixture) {
	f.migrated("ann", "bob")
	f.write(ride(1, "ann"), ride(2, "ann"), rider(1, "bob"))
	rename := func(from, to string) db.Op {
		return db.Op{Update: "users", Set: map[string]db.Value{"username": to}, Where: []db.Condition{eq("username", from)}}
	}
	_, err := f.try(rename("ann", "eve"))
	f.same("a key that others refer to", db.FailedOp(err, db.ForeignKey, 0), true)
	f.same("to itself", f.write(rename("ann", "ann")), []int64{1})
	f.write(user("cid"))
	f.same("free key", f.write(rename("cid", "Cid")), []int64{1})
	_, err = f.try(rename("Cid", "bob"))
	f.same("taken key", db.FailedOp(err, db.Duplicate, 0), true)
	f.same("no key", f.write(rename("cid", "x")), []int64{0})
	move := db.Op{Update: "riders", Set: map[string]db.Value{"ride_id": 2}, Where: []db.Condition{eq("username", "bob")}, Expect: db.Rows(1)}
	f.same("part of a key", f.write(move), []int64{1})
	f.same("riders", f.column("riders", "ride_id", nil), []any{int64(2)})
	f.same("users", f.column("users", "username", nil), []any{"Cid", "ann", "bob"})
}

func testDelete(f *fixture) {
	f.migrated("ann", "bob", "cid")
	one := db.Op{Delete: "users", Where: []db.Condition{eq("username", "bob")}}
	f.same("one", f.write(one), []int64{1})
	f.same("none", f.write(one), []int64{0})
	f.same("left", f.column("users", "username", nil), []any{"ann", "cid"})
	f.same("all", f.write(db.Op{Delete: "users"}), []int64{2})
	f.same("count", f.count("users"), int64(0))
}

func testCheck(f *fixture) {
	f.migrated("ann", "bob")
	check := func(n int64, where ...db.Condition) error {
		_, err := f.try(db.Op{Check: "users", Where: where, Expect: db.Rows(n)})
		return err
	}
	f.ok(check(2))
	f.ok(check(1, eq("username", "ann")))
	f.ok(check(0, eq("username", "eve")))
	f.same("wrong", db.FailedOp(check(1, eq("username", "eve")), db.Expectation, 0), true)
	f.same("sees the ops before it", f.write(
		user("cid"), db.Op{Check: "users", Expect: db.Rows(3)}, db.Op{Delete: "users"}, db.Op{Check: "users", Expect: db.Rows(0)},
	), []int64{1, 3, 3, 0})
}

func testExpect(f *fixture) {
	f.migrated("ann", "bob")
	before := f.checksum()
	for _, op := range []db.Op{
		{Delete: "users", Expect: db.Rows(1)},
		{Delete: "users", Where: []db.Condition{eq("username", "eve")}, Expect: db.Rows(1)},
		{Update: "users", Set: map[string]db.Value{"password_hash": "x"}, Expect: db.Rows(2)},
		{Check: "users", Expect: db.Rows(0)},
	} {
		_, err := f.try(user("cid"), op)
		f.same("refused", db.FailedOp(err, db.Expectation, 1), true)
	}
	_, err := f.try(db.Op{Check: "users", Expect: db.Rows(7)})
	var refused *db.Error
	f.same("type", errors.As(err, &refused), true)
	f.same("message", refused.Message, "2 rows of users matched, not 7")
	f.same("unchanged", f.checksum(), before)
	f.same("right", f.write(db.Op{Delete: "users", Expect: db.Rows(2)}), []int64{2})
}

func testClear(f *fixture) {
	f.migrated("ann")
	f.write(ride(1, "ann"), rider(1, "ann"))
	tx := f.begin()
	b := f.next()
	b.Sequences = db.Sequences{"rides": 1}
	b.Replies = []store.StoredReply{{ID: "a", At: departure, Body: []byte("1")}}
	f.ok(tx.Commit(f.ctx, b))
	f.same("rows", f.write(db.Op{Clear: true}, user("bob")), []int64{0, 1})
	f.same("users", f.column("users", "username", nil), []any{"bob"})
	f.same("rides", f.count("rides"), int64(0))
	f.same("riders", f.count("riders"), int64(0))
	tx = f.begin()
	seqs, err := tx.Sequences(f.ctx)
	f.ok(err)
	f.same("sequences", seqs, db.Sequences{})
	found, err := tx.Replies(f.ctx, []string{"a"})
	f.ok(err)
	f.same("replies stay, as in logs of earlier programs", found, map[string][]byte{"a": []byte("1")})
	f.ok(tx.Rollback())

	// Those that are stored now are discarded; those that come with the same transaction are not.
	at := departure.Add(time.Hour)
	discarded := []byte(`{"cleared":"` + at.Format(time.RFC3339Nano) + `"}`)
	tx = f.begin()
	_, err = tx.Execute(f.ctx, []db.Op{{Clear: true, Forget: at}})
	f.ok(err)
	b = f.next()
	b.Replies = []store.StoredReply{{ID: "b", At: at, Body: []byte("2")}}
	f.ok(tx.Commit(f.ctx, b))
	tx = f.begin()
	found, err = tx.Replies(f.ctx, []string{"a", "b"})
	f.ok(err)
	f.same("replies are discarded", found, map[string][]byte{"a": discarded, "b": []byte("2")})
	f.ok(tx.Rollback())

	// They expire by the time of the clear, not by their own.
	b = f.next()
	b.Expire = at
	f.ok(f.begin().Commit(f.ctx, b))
	tx = f.begin()
	found, err = tx.Replies(f.ctx, []string{"a", "b"})
	f.ok(err)
	f.same("discarded replies", len(found), 2)
	f.ok(tx.Rollback())
	other := f.other()
	f.ok(other.Import(f.ctx, bytes.NewReader(f.export())))
	f.same("the same in a copy", other.checksum(), f.checksum())
}

// testAdvance: what is done to a sequence comes with the bookkeeping.
func testAdvance(f *fixture) {
	f.migrated("ann")
	advance := db.Op{Advance: "rides", To: 9}
	f.same("rows", f.write(advance), []int64{0})
	f.same("rows among others", f.write(user("bob"), advance, user("cid")), []int64{1, 0, 1})
	_, err := f.try(advance, user("bob"))
	f.same("the index of the op that fails", db.FailedOp(err, db.Duplicate, 1), true)
}

func testCascade(f *fixture) {
	f.migrated("ann", "bob")
	f.write(ride(1, "ann"), ride(2, "bob"), ride(3, "ann"), rider(1, "ann"), rider(1, "bob"), rider(2, "ann"), rider(2, "bob"))
	f.same("counts only its own rows", f.write(db.Op{Delete: "rides", Where: []db.Condition{eq("ride_id", 1)}, Expect: db.Rows(1)}), []int64{1})
	f.same("riders of ride 2", f.count("riders"), int64(2))
	f.write(db.Op{Delete: "users", Where: []db.Condition{eq("username", "ann")}})
	f.same("rides", f.column("rides", "ride_id", nil), []any{int64(2)})
	f.same("riders", f.column("riders", "username", nil), []any{"bob"})
}

func testMigrate(f *fixture) {
	_, err := f.try(db.Op{Migrate: db.LatestMigration + 1})
	f.same("newer", errors.Is(err, store.ErrNewerSchema), true)
	if !f.features.DDLCommits {
		_, err = f.try(db.Op{Migrate: 1}, user("ann"), user("ann"))
		f.same("refused", db.FailedOp(err, db.Duplicate, 2), true)
		schema, err := f.SchemaVersion(f.ctx)
		f.ok(err)
		f.same("undone", schema, 0)
	}
	for range 3 {
		f.write(db.Op{Migrate: 1})
		f.write(db.Op{Migrate: 1}, db.Op{Migrate: 1}, user(string(rune('a'+f.seq))))
		f.ok(f.Store.Close())
		f.reopen()
	}
	schema, err := f.SchemaVersion(f.ctx)
	f.ok(err)
	f.same("schema", schema, 1)
	f.same("users", f.count("users"), int64(3))
}

// testNewColumns: rows from before a column was added have the empty text in it, and until it was added
// everything goes on without it.
func testNewColumns(f *fixture) {
	f.write(db.Op{Migrate: 1})
	f.write(user("ann"))
	old := db.Query{Table: "users", Columns: []string{"username", "password_hash"}}
	f.same("before", f.query(old).Rows, []db.Row{{"username": "ann", "password_hash": "hash of ann"}})
	for _, q := range []db.Query{
		{Table: "users", Columns: []string{"account"}},
		{Table: "users", Where: []db.Condition{eq("username", "ann"), eq("account", "")}, Count: true},
		{Table: "users", Columns: []string{"username"}, OrderBy: []db.Order{{Column: "generation"}}},
		{Table: "users", Columns: []string{"username"}, Where: []db.Condition{eq("account", "")}},
	} {
		r := db.Read{Queries: []db.Query{{Table: "rides", Count: true}, q}}
		f.ok(r.Check())
		_, err := f.Read(f.ctx, r)
		f.same("a column that is still to come", db.KindOf(err), db.Unavailable)
	}
	snapshot := f.export()
	f.same("a snapshot of the old schema", bytes.Contains(snapshot, []byte(`"columns":["username","password_hash"]}`)), true)

	f.write(db.Op{Migrate: 2})
	bob := user("bob")
	bob.Values["account"], bob.Values["generation"] = "a", "g"
	f.write(bob)
	f.same("after", f.query(db.Query{Table: "users"}).Rows, []db.Row{
		{"username": "ann", "password_hash": "hash of ann", "account": "", "generation": ""},
		{"username": "bob", "password_hash": "hash of bob", "account": "a", "generation": "g"},
	})
	f.write(db.Op{Update: "users", Set: map[string]db.Value{"generation": "h"}, Where: []db.Condition{eq("username", "ann"), eq("account", "")}})
	f.same("set", f.column("users", "generation", nil), []any{"h", "g"})

	// The tables have the columns already when the old snapshot comes in, and when it is migrated.
	for _, to := range []*fixture{f, f.other()} {
		f.ok(to.Import(f.ctx, bytes.NewReader(snapshot)))
		f.same("snapshot", string(to.export()), string(snapshot))
		f.same("before again", to.query(old).Rows, []db.Row{{"username": "ann", "password_hash": "hash of ann"}})
		to.write(user("cid"))
		to.write(db.Op{Migrate: 2})
		f.same("after again", to.column("users", "account", nil), []any{"", ""})
	}
}

func testUnmigrated(f *fixture) {
	for _, q := range []db.Query{{Table: "users", Count: true}, {Table: "users", Columns: []string{"username"}}} {
		_, err := f.Read(f.ctx, db.Read{Queries: []db.Query{q}})
		f.same("kind", db.KindOf(err), db.Unavailable)
	}
	f.write(db.Op{Clear: true})
	tx := f.begin()
	_, err := tx.Execute(f.ctx, []db.Op{user("ann")})
	f.same("no table", err != nil, true)
	f.ok(tx.Rollback())
	f.migrated("ann")
	f.same("users", f.count("users"), int64(1))
}
