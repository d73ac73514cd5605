package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

func testNew(f *fixture) {
	for range 2 {
		got, err := f.State(f.ctx)
		f.ok(err)
		f.same("state", got, replog.State{})
		schema, err := f.SchemaVersion(f.ctx)
		f.ok(err)
		f.same("schema", schema, 0)
		f.ok(f.Ping(f.ctx))
		f.ok(f.Store.Close())
		f.reopen()
	}
}

func reply(id string, at time.Time) store.StoredReply {
	return store.StoredReply{ID: id, At: at, Body: []byte(`{"id":"` + id + `"}`)}
}

// testBookkeeping: state, replies and sequences are there exactly when the data is.
func testBookkeeping(f *fixture) {
	f.migrated()
	for field, v := range reflect.ValueOf(state(1)).Fields() {
		stored := field.Tag.Get("json") != "-"
		f.same("the state tests "+field.Name, v.IsZero(), !stored)
	}
	ids := []string{"a", "A", "a ", "é😀", "", "none"}
	b := f.next()
	b.Sequences = db.Sequences{"rides": 7, "riders": 1 << 60}
	for _, id := range ids[:5] {
		b.Replies = append(b.Replies, reply(id, departure))
	}
	b.Replies[4].Body = nil
	tx := f.begin()
	_, err := tx.Execute(f.ctx, []db.Op{user("ann")})
	f.ok(err)
	f.ok(tx.Rollback())
	got, err := f.State(f.ctx)
	f.ok(err)
	f.same("rolled back", got, state(f.seq-1))

	tx = f.begin()
	_, err = tx.Execute(f.ctx, []db.Op{user("ann")})
	f.ok(err)
	f.ok(tx.Commit(f.ctx, b))
	got, err = f.State(f.ctx)
	f.ok(err)
	f.same("state", got, b.State)
	tx = f.begin()
	found, err := tx.Replies(f.ctx, ids)
	f.ok(err)
	f.same("replies", len(found), 5)
	for _, r := range b.Replies {
		f.same(r.ID, string(found[r.ID]), string(r.Body))
	}
	found, err = tx.Replies(f.ctx, nil)
	f.ok(err)
	f.same("no ids", found, map[string][]byte{})
	f.ok(tx.Rollback())
	f.same("user", f.count("users"), int64(1))
	f.repliesOf(b.Replies, append(ids, "a"))
}

// repliesOf checks the replies to ids that Begin was told of, and to others.
func (f *fixture) repliesOf(want []store.StoredReply, ids []string) {
	f.Helper()
	tx, err := f.Begin(f.ctx, ids...)
	f.ok(err)
	f.Cleanup(func() { _ = tx.Rollback() })
	for _, asked := range [][]string{ids, {ids[1], ids[0]}, {"none"}, ids} {
		found, err := tx.Replies(f.ctx, asked)
		f.ok(err)
		for _, r := range want {
			body, there := found[r.ID]
			f.same("the reply to "+r.ID+" is there", there, slices.Contains(asked, r.ID))
			if there {
				f.same(r.ID, string(body), string(r.Body))
			}
		}
	}
	_, err = tx.Execute(f.ctx, []db.Op{{Clear: true, Forget: departure.Add(time.Hour)}})
	f.ok(err)
	found, err := tx.Replies(f.ctx, ids)
	f.ok(err)
	cleared, err := db.DecodeReply(found[ids[0]])
	f.ok(err)
	f.same("cleared", cleared.Cleared.IsZero(), false)
	f.ok(tx.Rollback())
}

func testSequences(f *fixture) {
	commit := func(seqs db.Sequences) {
		f.Helper()
		b := f.next()
		b.Sequences = seqs
		f.ok(f.begin().Commit(f.ctx, b))
	}
	want := func(what string, want db.Sequences) {
		f.Helper()
		tx := f.begin()
		got, err := tx.Sequences(f.ctx)
		f.ok(err)
		f.same(what, got, want)
		got["caller's"] = 1
		f.ok(tx.Rollback())
	}
	want("none", db.Sequences{})
	commit(db.Sequences{"rides": 1, "riders": 2})
	want("two", db.Sequences{"rides": 1, "riders": 2})
	commit(nil)
	want("unchanged", db.Sequences{"rides": 1, "riders": 2})
	commit(db.Sequences{"rides": 3})
	want("all of them", db.Sequences{"rides": 3})
	commit(db.Sequences{})
	want("emptied", db.Sequences{})
}

func testExpire(f *fixture) {
	b := f.next()
	var ids []string
	for i := range 300 {
		id := fmt.Sprint(i)
		ids = append(ids, id)
		b.Replies = append(b.Replies, reply(id, departure.Add(time.Duration(i)*time.Microsecond)))
	}
	f.ok(f.begin().Commit(f.ctx, b))
	left := func() int {
		tx := f.begin()
		found, err := tx.Replies(f.ctx, ids)
		f.ok(err)
		f.ok(tx.Rollback())
		return len(found)
	}
	f.same("all", left(), 300)
	b = f.next()
	b.Expire = departure.Add(100 * time.Microsecond)
	// The same id again, after or before the old one expires: the new reply holds.
	b.Replies = []store.StoredReply{reply("5", departure.Add(time.Hour)), reply("299", departure.Add(time.Hour))}
	b.Replies[1].Body = []byte("new")
	f.ok(f.begin().Commit(f.ctx, b))
	f.same("expired", left(), 201)
	tx := f.begin()
	found, err := tx.Replies(f.ctx, []string{"5", "99", "100", "299"})
	f.ok(err)
	f.ok(tx.Rollback())
	f.same("replies", found, map[string][]byte{"5": []byte(`{"id":"5"}`), "100": []byte(`{"id":"100"}`), "299": []byte("new")})
}
