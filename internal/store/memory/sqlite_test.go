package memory_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
	"rideshare/internal/store/memory"
	"rideshare/internal/store/sqlite"
)

// TestSameAsSQLite executes random requests on both, and compares the answers, the checksums and
// the bytes of the snapshots: what a simulation shows in memory holds for what runs in production.
func TestSameAsSQLite(t *testing.T) {
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{Create: true, Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	both := [2]store.Store{memory.New().Open(), file}
	random := rand.New(rand.NewPCG(1, 2))
	kinds := map[db.Kind]int{}
	for seq := range uint64(300) {
		requests := randomRequests(t, random, 1+int(seq)*db.LatestMigration/300)
		var answers [2]string
		for i, s := range both {
			var kind db.Kind
			answers[i], kind = execute(t, s, seq, requests)
			kinds[kind]++
		}
		if diff := cmp.Diff(answers[1], answers[0]); diff != "" {
			t.Fatalf("entry %d, %+v (-sqlite +memory):\n%s", seq, requests, diff)
		}
	}
	for _, kind := range []db.Kind{"", db.Duplicate, db.ForeignKey, db.Expectation} {
		if kinds[kind] < 10 {
			t.Errorf("only %d requests ended with %q: they test too little", kinds[kind], kind)
		}
	}
	for i, s := range both { // each takes the other's
		if err := s.Import(t.Context(), bytes.NewReader(snapshot(t, both[1-i]))); err != nil {
			t.Error(err)
		}
	}
}

// execute executes requests one by one, commits, and describes all that can be seen of it.
func execute(t *testing.T, s store.Store, seq uint64, requests [][]db.Op) (answer string, last db.Kind) {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, request := range requests {
		results, err := tx.Execute(t.Context(), request)
		if last = db.KindOf(err); err != nil && last == "" {
			t.Fatal(err)
		}
		answer += fmt.Sprintln(results, err)
	}
	at := time.Unix(int64(seq), 0)
	err = tx.Commit(t.Context(), store.Bookkeeping{
		State: replog.State{Seq: seq}, Expire: at.Add(-20 * time.Second), Sequences: db.Sequences{"rides": int64(seq % 7)},
		Replies: []store.StoredReply{{ID: fmt.Sprint("é\n", seq%50), At: at, Body: []byte{byte(seq), '"'}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	sum, _, err := s.Checksum(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s%s\n%s", answer, sum, snapshot(t, s)), last
}

func snapshot(t *testing.T, s store.Store) []byte {
	t.Helper()
	var text bytes.Buffer
	if _, err := s.Export(t.Context(), io.Writer(&text)); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func randomRequests(t *testing.T, random *rand.Rand, schema int) [][]db.Op {
	t.Helper()
	requests := make([][]db.Op, 1+random.IntN(5))
	for i := range requests {
		w := db.Write{Ops: []db.Op{{Migrate: schema}}}
		for range 1 + random.IntN(3) {
			w.Ops = append(w.Ops, randomOp(random))
		}
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
		requests[i] = w.Ops
	}
	return requests
}

func randomOp(random *rand.Rand) db.Op {
	name, other := fmt.Sprint("user", random.IntN(20)), fmt.Sprint("user", random.IntN(20))
	id, values := random.Int64N(24)-12, map[string]db.Value{}
	where := []db.Condition{
		db.Where("ride_id", []db.Compare{db.Eq, db.Lt, db.Ne}[random.IntN(3)], id),
		db.Where("ride_id", db.In, []any{id - 2, id - 1, id, id + 1, id + 2}),
	}[random.IntN(2):]
	switch random.IntN(16) {
	case 0:
		return db.Op{Delete: "users", Where: []db.Condition{db.Where("username", db.Eq, name)}}
	case 1:
		return db.Op{Delete: "rides", Where: where, Expect: db.Rows(random.Int64N(3))}
	case 2:
		values["ride_id"], values["created_by"] = id+1, other
		return db.Op{Update: "rides", Set: values, Where: where}
	case 3:
		values["ride_id"] = id
		return db.Op{Update: "riders", Set: values, Where: []db.Condition{db.Where("username", db.Le, name)}}
	case 4:
		values["username"] = other
		return db.Op{Update: "users", Set: values, Where: []db.Condition{db.Where("username", db.Eq, name)}}
	case 5:
		return db.Op{Check: "riders", Where: where, Expect: db.Rows(random.Int64N(3))}
	case 6, 7, 8:
		return db.Op{Insert: "rides", Values: map[string]db.Value{
			"ride_id": id, "created_by": name, "source": id, "destination": -id, "departs_at": time.Unix(id, 0),
		}}
	case 9, 10, 11, 12:
		return db.Op{Insert: "riders", Values: map[string]db.Value{"ride_id": id, "username": name, "joined": id}}
	default:
		return db.Op{Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": other}}
	}
}
