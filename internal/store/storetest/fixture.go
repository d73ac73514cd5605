package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// fixture is an open database that is being tested.
type fixture struct {
	testing.TB
	store.Store
	features Features
	create   Create
	open     Opener
	ctx      context.Context
	seq      uint64
}

func newFixture(t testing.TB, features Features, create Create) *fixture {
	t.Helper()
	f := &fixture{TB: t, features: features, create: create, open: create(t), ctx: t.Context()}
	f.reopen()
	t.Cleanup(func() { _ = f.Store.Close() })
	return f
}

// migrated applies the schema, and adds users.
func (f *fixture) migrated(users ...string) *fixture {
	f.Helper()
	f.write(db.Op{Migrate: db.LatestMigration})
	for _, u := range users {
		f.write(user(u))
	}
	return f
}

// other returns another empty database.
func (f *fixture) other() *fixture {
	f.Helper()
	return newFixture(f.TB, f.features, f.create)
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// same fails where got is not want.
func (f *fixture) same(what string, got, want any) {
	f.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		f.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func (f *fixture) reopen() {
	f.Helper()
	s, err := f.open(f.ctx)
	f.ok(err)
	f.Store = s
}

func (f *fixture) begin() store.Tx {
	f.Helper()
	tx, err := f.Begin(f.ctx)
	f.ok(err)
	f.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// state returns a state in which every member depends on seq.
func state(seq uint64) replog.State {
	return replog.State{
		LogID: "log", Epoch: 3 + seq/100, Seq: seq, Offset: replog.Offset(1000 + seq),
		Hash: replog.HashOf(fmt.Append(nil, seq)),
	}
}

// next is the bookkeeping of the next entry.
func (f *fixture) next() store.Bookkeeping {
	f.seq++
	return store.Bookkeeping{State: state(f.seq)}
}

// try executes a request and commits it, or undoes it where it is refused.
func (f *fixture) try(ops ...db.Op) ([]db.OpResult, error) {
	f.Helper()
	tx := f.begin()
	results, err := tx.Execute(f.ctx, checked(f, ops...))
	if err != nil {
		f.ok(tx.Rollback())
		return nil, err
	}
	f.ok(tx.Commit(f.ctx, f.next()))
	return results[0], nil
}

// write executes a request that has to succeed, and returns the rows of each op.
func (f *fixture) write(ops ...db.Op) []int64 {
	f.Helper()
	results, err := f.try(ops...)
	f.ok(err)
	rows := make([]int64, len(results))
	for i, r := range results {
		rows[i] = r.Rows
	}
	return rows
}

// checked gives the ops' values their types, as the caller of a store does.
func checked(f *fixture, ops ...db.Op) []db.Op {
	f.Helper()
	w := db.Write{Ops: ops}
	f.ok(w.Check())
	return w.Ops
}

// query executes one query.
func (f *fixture) query(q db.Query) db.QueryResult {
	f.Helper()
	r := db.Read{Queries: []db.Query{q}}
	f.ok(r.Check())
	result, err := f.Read(f.ctx, r)
	f.ok(err)
	return result.Results[0]
}

// column returns a column of the rows that match, in the order of order.
func (f *fixture) column(table, column string, order []db.Order, where ...db.Condition) []any {
	f.Helper()
	values := []any{}
	for _, row := range f.query(db.Query{Table: table, Where: where, OrderBy: order}).Rows {
		values = append(values, row[column])
	}
	return values
}

// count returns the number of rows that match.
func (f *fixture) count(table string, where ...db.Condition) int64 {
	f.Helper()
	return *f.query(db.Query{Table: table, Where: where, Count: true}).Count
}

func (f *fixture) checksum() replog.Hash {
	f.Helper()
	sum, _, err := f.Checksum(f.ctx)
	f.ok(err)
	return sum
}

func (f *fixture) export() []byte {
	f.Helper()
	var out bytes.Buffer
	_, err := f.Export(f.ctx, &out)
	f.ok(err)
	return out.Bytes()
}

func user(name string) db.Op {
	return db.Op{Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": "hash of " + name}}
}

var departure = time.Date(2026, 3, 1, 8, 30, 0, 123456000, time.UTC)

func ride(id int64, by string) db.Op {
	return db.Op{Insert: "rides", Values: map[string]db.Value{
		"ride_id": id, "created_by": by, "source": id % 7, "destination": id % 5, "departs_at": departure,
	}}
}

func rider(ride int64, name string) db.Op {
	return db.Op{Insert: "riders", Values: map[string]db.Value{"ride_id": ride, "username": name, "joined": ride}}
}

func eq(column string, value any) db.Condition { return db.Where(column, db.Eq, value) }
