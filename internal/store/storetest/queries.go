package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

func testQueryParts(f *fixture) {
	f.migrated("ann", "bob", "cid")
	r := db.Read{Queries: []db.Query{
		{Table: "users", Columns: []string{"password_hash"}, Where: []db.Condition{db.Where("username", db.Gt, "ann")}, Limit: 1},
		{Table: "users", Count: true, Where: []db.Condition{db.Where("username", db.Ne, "bob"), db.Where("username", db.Ge, "b")}},
		{Table: "rides"},
		{Table: "riders", Count: true},
		{Table: "users", Columns: []string{"username"}, Limit: 99},
	}}
	f.ok(r.Check())
	got, err := f.Read(f.ctx, r)
	f.ok(err)
	f.same("result", got, db.ReadResult{Position: state(f.seq).Position(), Results: []db.QueryResult{
		{Rows: []db.Row{{"password_hash": "hash of bob"}}},
		{Count: db.Rows(1)},
		{Rows: []db.Row{}},
		{Count: db.Rows(0)},
		{Rows: []db.Row{{"username": "ann"}, {"username": "bob"}, {"username": "cid"}}},
	}})
	if rows := got.Results[2].Rows; rows == nil {
		f.Error("no rows are nil")
	}
}

func testOrder(f *fixture) {
	f.migrated("ann", "bob")
	for i := range int64(12) {
		op := ride(11-i, []string{"ann", "bob"}[i%2])
		op.Values["source"], op.Values["destination"] = i/6, i%3
		f.write(op)
	}
	ids := func(limit int, order ...db.Order) string {
		text := ""
		for _, row := range f.query(db.Query{Table: "rides", OrderBy: order, Limit: limit}).Rows {
			text += fmt.Sprint(" ", row["ride_id"])
		}
		return text
	}
	source, destination, id := db.Order{Column: "source"}, db.Order{Column: "destination"}, db.Order{Column: "ride_id", Desc: true}
	f.same("by key", ids(0), " 0 1 2 3 4 5 6 7 8 9 10 11")
	f.same("limit", ids(3), " 0 1 2")
	f.same("ties by key", ids(0, source), " 6 7 8 9 10 11 0 1 2 3 4 5")
	f.same("descending key", ids(4, source, id), " 11 10 9 8")
	f.same("two columns", ids(0, db.Order{Column: "destination", Desc: true}, source), " 6 9 0 3 7 10 1 4 8 11 2 5")
	f.same("the same column twice", ids(2, destination, destination), " 2 5")
}

func testShapes(f *fixture) {
	f.migrated("ann", "bob")
	columns := []string{"username", "password_hash"}
	ops := []db.Compare{db.Lt, db.Le, db.Ne, db.Gt, db.Ge}
	for i := range 400 { // more than anyone keeps prepared
		var where []db.Condition
		for n := i; n > 0; n /= 10 {
			where = append(where, db.Where(columns[n%2], ops[n/2%5], "c"))
		}
		f.count("users", where...)
	}
	f.same("after all", f.count("users", db.Where("username", db.Lt, "b")), int64(1))
}

func testMostConditions(f *fixture) {
	f.migrated("ann")
	list := make([]any, db.MaxInList)
	for i := range list {
		list[i] = "ann"
	}
	var where []db.Condition
	for range db.MaxConditions {
		where = append(where, db.Where("username", db.In, list))
	}
	f.same("most", f.count("users", where...), int64(1))
}

// testLargeSort: a read that has to sort many rows gets them in order, also beside others, unless there are too
// many of its kind. Reads that sort nothing are not held up by them.
func testLargeSort(f *fixture) {
	f.migrated()
	const users, at, callers = 6000, 1000, 32
	for first := 0; first < users; first += at {
		var ops []db.Op
		for i := range at {
			ops = append(ops, db.Op{Insert: "users", Values: map[string]db.Value{
				"username": fmt.Sprintf("%06d", first+i), "password_hash": fmt.Sprintf("%06d", users-first-i),
			}})
		}
		f.write(ops...)
	}
	sorted := db.Query{Table: "users", OrderBy: []db.Order{{Column: "password_hash"}}, Limit: 3}
	want := []db.Row{}
	for i := range sorted.Limit {
		want = append(want, db.Row{"username": fmt.Sprintf("%06d", users-1-i), "password_hash": fmt.Sprintf("%06d", i+1)})
	}
	sorted.Columns = []string{"username", "password_hash"}
	ends := make(chan error, callers)
	for range callers {
		go func() {
			r := db.Read{Queries: []db.Query{sorted}}
			result, err := f.Read(f.ctx, r)
			if err == nil && !cmp.Equal(result.Results[0].Rows, want) {
				err = fmt.Errorf("%v, want %v", result.Results[0].Rows, want)
			}
			ends <- err
		}()
	}
	page := db.Query{Table: "users", Columns: []string{"username"}, Where: []db.Condition{db.Where("username", db.Gt, "000100")}, Limit: 10}
	if rows := f.query(page).Rows; len(rows) != page.Limit || rows[0].Text("username") != "000101" {
		f.Errorf("a page: %v", rows)
	}
	done := 0
	for range callers {
		switch err := <-ends; {
		case err == nil:
			done++
		case !errors.Is(err, store.ErrBusy):
			f.Error(err)
		}
	}
	if done == 0 || f.features.BoundsLarge == (done == callers) {
		f.Errorf("%d of %d large reads were executed at once", done, callers)
	}
}

// testLargeAnswer: an answer that is too large is refused, and nothing else is.
func testLargeAnswer(f *fixture) {
	f.migrated()
	const users, at = 3000, 1000
	for first := 0; first < users; first += at {
		var ops []db.Op
		for i := range at {
			name := fmt.Sprintf("%0128d", first+i)
			ops = append(ops, db.Op{Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": name}})
		}
		f.write(ops...)
	}
	all := db.Query{Table: "users"}
	r := db.Read{Queries: slices.Repeat([]db.Query{all}, db.MaxQueries)}
	f.ok(r.Check())
	for range 2 {
		var e *db.Error
		if _, err := f.Read(f.ctx, r); !errors.As(err, &e) || e.Kind != db.Invalid {
			f.Errorf("an answer of %d rows: %v", users*db.MaxQueries, err)
		}
		if n := len(f.query(all).Rows); n != users {
			f.Errorf("%d rows, want %d", n, users)
		}
	}
}
