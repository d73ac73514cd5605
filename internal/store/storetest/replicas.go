package storetest

import (
	"fmt"
	"math/rand/v2"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

func testChecksum(f *fixture) {
	seen := map[replog.Hash]string{}
	step := func(what string, change bool) {
		f.Helper()
		sum, at, err := f.Checksum(f.ctx)
		f.ok(err)
		f.same("state", at.Seq, f.seq)
		if other, ok := seen[sum]; ok == change {
			f.Errorf("%s: the checksum is that of %q", what, other)
		}
		seen[sum] = what
	}
	book := func(change func(*store.Bookkeeping)) {
		b := f.next()
		change(&b)
		f.ok(f.begin().Commit(f.ctx, b))
	}
	step("new", true)
	f.migrated()
	step("migrated", true)
	f.write(user("ann"), user("bob"))
	step("users", true)
	f.write(db.Op{Update: "users", Set: map[string]db.Value{"password_hash": "x"}, Where: []db.Condition{eq("username", "ann")}})
	step("another hash", true)
	f.write(ride(1, "ann"))
	step("ride", true)
	f.write(db.Op{Update: "rides", Set: map[string]db.Value{"departs_at": departure.Add(1000)}})
	step("a microsecond later", true)
	f.write(rider(1, "bob"))
	step("rider", true)
	book(func(b *store.Bookkeeping) { b.Sequences = db.Sequences{"rides": 1} })
	step("sequence", true)
	book(func(b *store.Bookkeeping) {
		b.Replies = []store.StoredReply{{ID: "a", At: departure, Body: []byte("1")}}
	})
	step("reply", true)
	book(func(b *store.Bookkeeping) {
		b.Replies = []store.StoredReply{{ID: "a", At: departure, Body: []byte("2")}}
	})
	step("another body", true)
	book(func(b *store.Bookkeeping) {
		b.Replies = []store.StoredReply{{ID: "a", At: departure.Add(1000), Body: []byte("2")}}
	})
	step("another time", true)
	book(func(*store.Bookkeeping) {})
	step("only the state", false)
	f.write(user("cid"))
	step("one more", true)
	f.write(db.Op{Delete: "users", Where: []db.Condition{eq("username", "cid")}})
	step("as before", false)
}

// testReplicas: the same requests, batched in another way, with restarts, and without those that
// were refused, lead to the same database.
func testReplicas(f *fixture) {
	random := rand.New(rand.NewPCG(1, 2))
	master, slave := f.migrated(), f.other().migrated()
	for entry := range 40 {
		var done [][]db.Op
		tx := master.begin()
		for range 1 + random.IntN(20) {
			ops := randomRequest(random)
			_, err := tx.Execute(f.ctx, checked(f, ops...))
			switch db.KindOf(err) {
			case db.Duplicate, db.ForeignKey, db.Expectation:
			default:
				f.ok(err)
				done = append(done, ops)
			}
		}
		b := master.next()
		b.Sequences = db.Sequences{"rides": int64(entry)}
		b.Replies = []store.StoredReply{reply(fmt.Sprint(entry), departure.AddDate(0, 0, entry))}
		b.Expire = departure.AddDate(0, 0, entry-10)
		f.ok(tx.Commit(f.ctx, b))

		tx = slave.begin()
		_, err := tx.Execute(f.ctx, done...)
		f.ok(err)
		f.ok(tx.Commit(f.ctx, b))
		slave.seq = master.seq
		if entry%9 == 0 {
			f.ok(slave.Store.Close())
			slave.reopen()
		}
		f.same("checksum", slave.checksum(), master.checksum())
	}
	if master.count("users") == 0 || master.count("rides") == 0 || master.count("riders") == 0 {
		f.Error("the requests left a table empty: they test too little")
	}
}

func randomRequest(random *rand.Rand) []db.Op {
	ops := make([]db.Op, 1+random.IntN(4))
	for i := range ops {
		name, id := fmt.Sprint("user", random.IntN(40)), random.Int64N(40)
		switch random.IntN(20) {
		case 0:
			ops[i] = db.Op{Delete: "users", Where: []db.Condition{eq("username", name)}}
		case 1:
			ops[i] = db.Op{Delete: "rides", Where: []db.Condition{db.Where("ride_id", db.In, []any{id, id + 1})}, Expect: db.Rows(1)}
		case 2:
			ops[i] = db.Op{Update: "rides", Set: map[string]db.Value{"ride_id": id, "source": id}, Where: []db.Condition{eq("created_by", name)}}
		case 3:
			ops[i] = db.Op{Update: "users", Set: map[string]db.Value{"username": name}, Where: []db.Condition{eq("username", fmt.Sprint("user", id))}}
		case 4:
			ops[i] = db.Op{Check: "users", Where: []db.Condition{eq("username", name)}, Expect: db.Rows(1)}
		case 5, 6, 7, 8, 9:
			ops[i] = ride(id, name)
		case 10, 11, 12, 13:
			ops[i] = rider(id, name)
		default:
			ops[i] = user(name)
		}
	}
	return ops
}
