package storetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"rideshare/internal/db"
)

// compares are the comparisons and what they say of how a value compares with the operand.
var compares = map[db.Compare]func(int) bool{
	db.Eq: func(c int) bool { return c == 0 },
	db.Ne: func(c int) bool { return c != 0 },
	db.Lt: func(c int) bool { return c < 0 },
	db.Le: func(c int) bool { return c <= 0 },
	db.Gt: func(c int) bool { return c > 0 },
	db.Ge: func(c int) bool { return c >= 0 },
}

// testCompare checks every comparison and both orders on a column that holds these values.
func testCompare[T any](f *fixture, table, column string, values []T, compare func(a, b T) int) {
	values = slices.SortedFunc(slices.Values(values), compare)
	for op, holds := range compares {
		for _, operand := range values {
			want := []any{}
			for _, v := range values {
				if holds(compare(v, operand)) {
					want = append(want, v)
				}
			}
			got := f.column(table, column, []db.Order{{Column: column}}, db.Where(column, op, operand))
			f.same(fmt.Sprintf("%s %s %v", column, op, operand), got, want)
			f.same("count", f.count(table, db.Where(column, op, operand)), int64(len(want)))
		}
	}
	slices.Reverse(values)
	want := []any{}
	for _, v := range values {
		want = append(want, v)
	}
	f.same("descending", f.column(table, column, []db.Order{{Column: column, Desc: true}}), want)
}

var names = []string{
	"", " ", "ann", "Ann", "ANN", "ann ", "ann  ", " ann", "anne", "änn", "a\u0308nn", "ann\t", "ann\n",
	"ß", "ss", "\u001f", "\uffff", "😀", "😁", "Ａ", "İ", "i", "ı", "%", "a_n", "0", "00", "1e3", "null",
	"'; DROP TABLE users; --", `"`, "`", `\`, `\u0041`, "<&>", "\u2028", strings.Repeat("😀", 128),
}

func testText(f *fixture) {
	f.migrated(names...)
	testCompare(f, "users", "username", names, cmp.Compare[string])
	for _, name := range names {
		got := f.column("users", "password_hash", nil, eq("username", name))
		f.same(fmt.Sprintf("%q", name), got, []any{"hash of " + name})
	}
}

func testIntegers(f *fixture) {
	f.migrated("ann")
	ids := []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, 2, 1<<53 + 1, 1<<53 + 2, math.MaxInt64 - 1, math.MaxInt64}
	for _, id := range ids {
		op := ride(1, "ann")
		op.Values["ride_id"], op.Values["source"] = id, id
		f.write(op)
	}
	testCompare(f, "rides", "ride_id", ids, cmp.Compare[int64])
	testCompare(f, "rides", "source", ids, cmp.Compare[int64])
}

func testTimes(f *fixture) {
	f.migrated("ann")
	times := []time.Time{
		time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Unix(0, 0).UTC(),
		time.Unix(0, 1000).UTC(),
		time.Date(2026, 3, 29, 2, 30, 0, 0, time.FixedZone("", 2*3600)).UTC(),
		departure,
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	}
	for i, at := range times {
		op := ride(int64(i), "ann")
		op.Values["departs_at"] = at.In(time.FixedZone("", -5*3600)).Add(300 * time.Nanosecond)
		f.write(op)
	}
	testCompare(f, "rides", "departs_at", times, time.Time.Compare)
	for _, v := range f.column("rides", "departs_at", nil) {
		f.same("UTC", v.(time.Time).Location().String(), "UTC")
	}
}

func testInLists(f *fixture) {
	f.migrated("ann", "bob", "cid")
	for i := range int64(40) {
		f.write(ride(i, "ann"))
	}
	for n := 1; n <= db.MaxInList; n += 1 + n/3 {
		list := make([]any, n)
		for i := range list {
			list[i] = 39 - i // most are not there, where the list is long
		}
		where := db.Where("ride_id", db.In, list)
		f.same(fmt.Sprint(n), f.count("rides", where), int64(min(n, 40)))
	}
	f.same("names", f.column("users", "username", nil, db.Where("username", db.In, []any{"cid", "ann", "Bob", "ann"})), []any{"ann", "cid"})
	f.same("times", f.count("rides", db.Where("departs_at", db.In, []any{departure})), int64(40))
	some := []db.Condition{db.Where("ride_id", db.In, []any{1, 2, 3}), db.Where("source", db.In, []any{2, 3})}
	f.same("delete", f.write(db.Op{Delete: "rides", Where: some}), []int64{2})
}
