package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/db"
)

func TestResolve(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 890_123_456, time.FixedZone("east", 3600))
	stamp := time.Date(2026, 3, 4, 4, 6, 7, 890_123_000, time.UTC)
	w := db.Write{Ops: []db.Op{
		{Insert: "rides", Values: map[string]any{"ride_id": db.Next("rides"), "departs_at": db.Now{}, "created_by": "a"}},
		{Check: "users", Expect: db.Rows(1)},
		{Update: "rides", Set: map[string]any{"departs_at": db.Now{}}},
		{Insert: "rides", Values: map[string]any{"ride_id": db.Next("rides")}},
	}}
	seqs := db.Sequences{"rides": 6}
	ops, resolved := db.Resolve(w, seqs, now)
	if seqs["rides"] != 8 {
		t.Errorf("the sequence is at %d, want 8", seqs["rides"])
	}
	want := []map[string]db.Value{{"ride_id": int64(7), "departs_at": stamp}, nil, {"departs_at": stamp}, {"ride_id": int64(8)}}
	if diff := cmp.Diff(want, resolved); diff != "" {
		t.Errorf("resolved (-want +got):\n%s", diff)
	}
	if got := ops[0].Values["created_by"]; got != "a" {
		t.Errorf("a literal became %v", got)
	}
	if _, ok := w.Ops[0].Values["ride_id"].(db.Next); !ok {
		t.Error("the write itself was changed")
	}
}

func TestResolveRestartsSequencesAfterClear(t *testing.T) {
	w := db.Write{Ops: []db.Op{{Clear: true}, {Insert: "rides", Values: map[string]any{"ride_id": db.Next("rides")}}}}
	seqs := db.Sequences{"rides": 6, "riders": 3}
	ops, _ := db.Resolve(w, seqs, time.Now())
	if ops[1].Values["ride_id"] != int64(1) {
		t.Errorf("the first number after a clear is %v", ops[1].Values["ride_id"])
	}
	if diff := cmp.Diff(db.Sequences{"rides": 1}, seqs); diff != "" {
		t.Errorf("sequences (-want +got):\n%s", diff)
	}
}

func TestResolveAdvancesAndNeverGoesBack(t *testing.T) {
	ride := db.Op{Insert: "rides", Values: map[string]any{"ride_id": db.Next("rides")}}
	w := db.Write{Ops: []db.Op{{Advance: "rides", To: 9}, ride, {Advance: "rides", To: 4}, ride, {Advance: "riders", To: 2}}}
	seqs := db.Sequences{"rides": 6}
	ops, _ := db.Resolve(w, seqs, time.Now())
	if got := []any{ops[1].Values["ride_id"], ops[3].Values["ride_id"]}; !cmp.Equal(got, []any{int64(10), int64(11)}) {
		t.Errorf("the numbers are %v", got)
	}
	if diff := cmp.Diff(db.Sequences{"rides": 11, "riders": 2}, seqs); diff != "" {
		t.Errorf("sequences (-want +got):\n%s", diff)
	}
}

// An insert that leaves the unique values out gets random ones, also after a clear, which sets sequences
// back.
func TestResolveFillsUniqueValues(t *testing.T) {
	user := db.Op{Insert: "users", Values: map[string]any{"username": "a", "password_hash": "h"}}
	given := db.Op{Insert: "users", Values: map[string]any{"username": "b", "password_hash": "h", "account": "x", "generation": ""}}
	w := db.Write{Ops: []db.Op{user, {Clear: true}, user, given}}
	if err := w.Check(); err != nil {
		t.Fatal(err)
	}
	ops, resolved := db.Resolve(w, db.Sequences{}, time.Now())
	seen := map[any]bool{"": true}
	for _, op := range []db.Op{ops[0], ops[2]} {
		for _, column := range []string{"account", "generation"} {
			if v := op.Values[column]; seen[v] || len(v.(string)) < 20 {
				t.Errorf("%s is %q", column, v)
			}
			seen[op.Values[column]] = true
		}
	}
	if ops[3].Values["account"] != "x" || ops[3].Values["generation"] != "" {
		t.Errorf("what was given became %v", ops[3].Values)
	}
	if len(w.Ops[0].Values) != 2 || resolved[0] != nil {
		t.Errorf("the write was changed to %v, or the result tells: %v", w.Ops[0].Values, resolved[0])
	}
}

func TestTablesAt(t *testing.T) {
	for schema, want := range map[int][]string{
		0: nil, 1: {"username", "password_hash"}, db.LatestMigration: {"username", "password_hash", "account", "generation"},
	} {
		var got []string
		for _, table := range db.TablesAt(schema) {
			if table.Name == "users" {
				for _, c := range table.Columns {
					got = append(got, c.Name)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("schema %d (-want +got):\n%s", schema, diff)
		}
	}
	// Snapshots and checksums of an older schema cut rows at their end.
	for _, table := range db.Tables {
		since := 0
		for _, c := range table.Columns {
			if c.Since < since || c.Since > db.LatestMigration || c.Since > 0 && !c.Unique {
				t.Errorf("%s.%s came with migration %d, behind one of %d", table.Name, c.Name, c.Since, since)
			}
			since = c.Since
		}
	}
}

func TestSchemaOfARead(t *testing.T) {
	by := func(column string) []db.Condition { return []db.Condition{db.Where(column, db.Eq, "x")} }
	for _, c := range []struct {
		query db.Query
		want  int
	}{
		{db.Query{Table: "rides"}, 1},
		{db.Query{Table: "users", Count: true}, 1},
		{db.Query{Table: "users"}, 2},
		{db.Query{Table: "users", Columns: []string{"username"}, Where: by("username")}, 1},
		{db.Query{Table: "users", Columns: []string{"account"}}, 2},
		{db.Query{Table: "users", Count: true, Where: by("generation")}, 2},
		{db.Query{Table: "users", Columns: []string{"username"}, OrderBy: []db.Order{{Column: "account"}}}, 2},
	} {
		r := db.Read{Queries: []db.Query{{Table: "riders"}, c.query}}
		if err := r.Check(); err != nil || r.Schema() != c.want {
			t.Errorf("%+v needs schema %d, not %d: %v", c.query, r.Schema(), c.want, err)
		}
	}
}

func TestErrorsAreMatchedByKindAndOp(t *testing.T) {
	err := error(db.OpError(db.Duplicate, 2, "exists"))
	if !db.FailedOp(err, db.Duplicate, 2) || db.FailedOp(err, db.Duplicate, 1) || db.FailedOp(err, db.ForeignKey, 2) {
		t.Error("FailedOp does not tell kind and op apart")
	}
	if db.FailedOp(db.Errorf(db.Duplicate, "exists"), db.Duplicate, 0) {
		t.Error("an error of no op is taken for one of op 0")
	}
}

func TestPosition(t *testing.T) {
	for _, text := range []string{"0.0", "3.1024", "18446744073709551615.18446744073709551615"} {
		p, err := db.ParsePosition(text)
		if err != nil || p.String() != text {
			t.Errorf("ParsePosition(%q) = %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"3", "3.", ".4", "a.b", "-1.2", "1.2.3", "1.18446744073709551616", " 1.2"} {
		if p, err := db.ParsePosition(text); err == nil {
			t.Errorf("ParsePosition(%q) = %v, want an error", text, p)
		}
	}
	if p, err := db.ParsePosition(""); err != nil || p != (db.Position{}) {
		t.Errorf("the empty position is %v, %v", p, err)
	}
}
