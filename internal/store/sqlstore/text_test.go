package sqlstore

import (
	"slices"
	"testing"

	"rideshare/internal/db"
)

func TestPad(t *testing.T) {
	lengths := map[int]int{1: 1, 2: 2, 3: 4, 5: 8, 512: 512, 513: db.MaxInList, 1000: 1000}
	for n, want := range lengths {
		values := slices.Repeat([]any{1, 2}, n)[:n]
		got := pad(values)
		if len(got) != want || !slices.Equal(got[:n], values) || got[want-1] != values[n-1] {
			t.Errorf("%d values became %d, not %d", n, len(got), want)
		}
	}
}

func TestSelectText(t *testing.T) {
	rides, _ := db.LookupTable("rides")
	text, args, err := selectText(rides, db.Query{
		Columns: []string{"ride_id", "source"},
		Where:   []db.Condition{db.Where("source", db.Eq, int64(1)), db.Where("ride_id", db.In, []any{int64(1), int64(2), int64(3)})},
		OrderBy: []db.Order{{Column: "departs_at", Desc: true}},
		Limit:   5,
	})
	want := "SELECT `ride_id`, `source` FROM `rides` WHERE `source` = ? AND `ride_id` IN (?, ?, ?, ?)" +
		" ORDER BY `departs_at` DESC, `ride_id` LIMIT ?"
	if err != nil || text != want || len(args) != 6 {
		t.Errorf("%s, %v, %v", text, args, err)
	}
}
