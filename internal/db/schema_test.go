package db_test

import (
	"testing"

	"rideshare/internal/db"
)

func TestOrdered(t *testing.T) {
	asc := func(columns ...string) (order []db.Order) {
		for _, c := range columns {
			order = append(order, db.Order{Column: c})
		}
		return order
	}
	route := []db.Condition{db.Where("source", db.Eq, 1), db.Where("destination", db.Eq, 2), db.Where("departs_at", db.Gt, 3)}
	for name, test := range map[string]struct {
		table string
		where []db.Condition
		order []db.Order
		want  bool
	}{
		"by key":                         {"rides", nil, nil, true},
		"by key, backwards":              {"rides", nil, []db.Order{{Column: "ride_id", Desc: true}}, true},
		"by another column":              {"rides", nil, asc("departs_at"), false},
		"a page of a route":              {"rides", route, asc("departs_at"), true},
		"a page of a route, backwards":   {"rides", route, []db.Order{{Column: "departs_at", Desc: true}}, false}, // equal ones by key, forwards
		"backwards as a whole":           {"rides", route, []db.Order{{Column: "departs_at", Desc: true}, {Column: "ride_id", Desc: true}}, true},
		"of half a route":                {"rides", route[:1], asc("departs_at"), false},
		"of a range of sources":          {"rides", []db.Condition{db.Where("source", db.Gt, 1)}, asc("source", "destination", "departs_at"), true},
		"what one has made":              {"rides", []db.Condition{db.Where("created_by", db.Eq, "u")}, nil, true},
		"what one has made, by time":     {"rides", []db.Condition{db.Where("created_by", db.Eq, "u")}, asc("departs_at"), false},
		"a column of one value":          {"rides", []db.Condition{db.Where("departs_at", db.Eq, 3)}, asc("departs_at"), true},
		"riders of a ride":               {"riders", []db.Condition{db.Where("ride_id", db.Eq, 3)}, asc("username"), true},
		"riders of a ride, as they came": {"riders", []db.Condition{db.Where("ride_id", db.Eq, 3)}, asc("joined"), false},
		"by the first of an index":       {"riders", nil, asc("username"), true},
	} {
		table, ok := db.LookupTable(test.table)
		if !ok {
			t.Fatal(test.table)
		}
		q := db.Query{Table: test.table, Where: test.where, OrderBy: test.order}
		if got := table.Ordered(q.Where, q.Order(table)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
