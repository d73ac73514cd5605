package workers

import (
	"testing"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

func TestSplit(t *testing.T) {
	entry := func(ops ...db.Op) replog.Event {
		return replog.Event{Verdict: replog.Valid, Record: &replog.Record{Txs: []replog.Tx{{Ops: ops}}}}
	}
	plain, migration := entry(db.Op{Insert: "users"}), entry(db.Op{Migrate: 1})
	lost := replog.Event{}
	tests := []struct {
		events []replog.Event
		sizes  []int
	}{
		{[]replog.Event{plain, plain, lost, plain}, []int{2, 2}},
		{[]replog.Event{migration}, []int{1}},
		{[]replog.Event{plain, plain, migration, plain, plain}, []int{2, 1, 2}},
		{[]replog.Event{migration, migration, lost}, []int{1, 1, 1}},
	}
	for i, test := range tests {
		rest := test.events
		for _, want := range test.sizes {
			var batch []replog.Event
			if batch, rest = split(rest); len(batch) != want {
				t.Errorf("case %d: a batch of %d, want %d", i, len(batch), want)
			}
		}
		if len(rest) != 0 {
			t.Errorf("case %d: %d are left", i, len(rest))
		}
	}
}
