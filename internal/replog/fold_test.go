package replog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/replog"
)

func hash(name string) replog.Hash { return replog.HashOf([]byte(name)) }

func TestFold(t *testing.T) {
	at := replog.State{LogID: "log", Epoch: 3, Seq: 10, Hash: hash("tip"), Offset: 100}
	lost := at
	lost.LogID = ""
	left := lost
	left.Left = "log"
	begun := left
	begun.Beyond, begun.Fence, begun.Tip = true, 1, hash("this")
	beyond := begun
	beyond.Fence, beyond.Tip = 3, hash("end")
	fenced := beyond
	fenced.Fence = 5
	tip := beyond
	tip.Tip = hash("this")
	later := fenced
	later.Tip = hash("this")
	unknown := begun
	unknown.Fence, unknown.Tip = 0, replog.Hash{}
	found := replog.State{LogID: "log", Epoch: 2, Seq: 10, Hash: hash("this"), Offset: 200}
	fits := begun
	fits.Hash = hash("this")
	fits.Fence, fits.Tip = 2, hash("end")
	this := hash("this")
	entry := func(epoch, seq uint64, prev string) replog.Record {
		return replog.Record{Kind: replog.EntryKind, Epoch: epoch, Seq: seq, Prev: hash(prev)}
	}
	genesis := func(seq uint64, prev string) replog.Record {
		return replog.Record{Kind: replog.GenesisKind, LogID: "new", Epoch: 4, Seq: seq, Prev: hash(prev)}
	}
	again := func(epoch, seq uint64, prev string) replog.Record {
		return replog.Record{Kind: replog.GenesisKind, LogID: "log", Epoch: epoch, Seq: seq, Prev: hash(prev)}
	}
	tests := []struct {
		name    string
		state   replog.State
		record  replog.Record
		want    replog.State
		verdict replog.Verdict
	}{
		{"the next entry", at, entry(3, 11, "tip"), replog.State{LogID: "log", Epoch: 3, Seq: 11, Hash: this, Offset: 200}, replog.Valid},
		{"a duplicate entry", at, entry(3, 10, "before"), at, replog.Skipped},
		{"an entry of a deposed master", at, entry(2, 11, "tip"), at, replog.Skipped},
		{"an entry of an epoch without a marker", at, entry(4, 11, "tip"), at, replog.Skipped},
		{"an entry that leaves one out", at, entry(3, 12, "tip"), at, replog.Corrupt},
		{"an entry on another history", at, entry(3, 11, "other"), at, replog.Corrupt},
		{"a marker of a later epoch", at, replog.Record{Kind: replog.MarkerKind, Epoch: 5}, replog.State{LogID: "log", Epoch: 5, Seq: 10, Hash: hash("tip"), Offset: 100}, replog.NewEpoch},
		{"a marker of this epoch", at, replog.Record{Kind: replog.MarkerKind, Epoch: 3}, at, replog.Skipped},
		{"a marker of an earlier epoch", at, replog.Record{Kind: replog.MarkerKind, Epoch: 2}, at, replog.Skipped},
		{"a barrier", at, replog.Record{Kind: replog.BarrierKind}, at, replog.Passed},
		{"a second genesis", at, genesis(10, "tip"), at, replog.Skipped},
		{"its own genesis once more", at, again(3, 10, "tip"), at, replog.Skipped},
		{"a genesis with which the log begins again here", at, again(4, 10, "tip"), replog.State{LogID: "log", Epoch: 4, Seq: 10, Hash: this, Offset: 200}, replog.Adopted},
		{"a genesis with which the log begins again further on", at, again(4, 11, "lost"), at, replog.Foreign},
		{"an unknown kind", at, replog.Record{Kind: "?"}, at, replog.Skipped},

		{"seeking, the genesis of this history", lost, genesis(10, "tip"), replog.State{LogID: "new", Epoch: 4, Seq: 10, Hash: this, Offset: 200}, replog.Adopted},
		{"seeking, a genesis further on", lost, genesis(11, "tip"), lost, replog.Foreign},
		{"seeking, a genesis of another history", lost, genesis(10, "other"), lost, replog.Foreign},
		{"seeking, a genesis without an id", lost, replog.Record{Kind: replog.GenesisKind, Seq: 10, Prev: hash("tip")}, lost, replog.Skipped},
		{"seeking, a stray entry that would fit", lost, entry(3, 11, "tip"), lost, replog.Skipped},
		{"seeking, a stray marker", lost, replog.Record{Kind: replog.MarkerKind, Epoch: 9}, lost, replog.Skipped},
		{"seeking, a barrier", lost, replog.Record{Kind: replog.BarrierKind}, lost, replog.Passed},
		{"seeking, the genesis of the log that was left", left, again(1, 0, ""), begun, replog.Skipped},
		{"seeking, the genesis of another log, which it left not", left, genesis(11, "tip"), left, replog.Foreign},
		{"beyond the end, an entry from before", beyond, entry(3, 9, "end"), tip, replog.Skipped},
		{"beyond the end, an entry of a master before", beyond, entry(2, 9, "end"), beyond, replog.Skipped},
		{"beyond the end, the next entry of a master that is beyond it, too", beyond, entry(3, 11, "tip"), beyond, replog.Skipped},
		{"beyond the end, an entry instead of the last one", beyond, entry(3, 10, "end"), tip, replog.Foreign},
		{"beyond the end, an entry of a later master", fenced, entry(5, 8, "end"), later, replog.Foreign},
		{"beyond the end, an entry of a deposed master", fenced, entry(3, 9, "end"), fenced, replog.Skipped},
		{"beyond the end, its last entry again", fits, entry(2, 10, "end"), found, replog.Adopted},
		{"beyond the end, and the beginning is gone: the first entry", unknown, entry(3, 4, "before"), tip, replog.Skipped},
		{"beyond the end, a later marker", beyond, replog.Record{Kind: replog.MarkerKind, Epoch: 5}, fenced, replog.NewEpoch},
		{"beyond the end, a marker from before", begun, replog.Record{Kind: replog.MarkerKind, Epoch: 3}, func() replog.State { s := begun; s.Fence = 3; return s }(), replog.Skipped},
		{"beyond the end, the log begins again here", beyond, again(4, 10, "tip"), replog.State{LogID: "log", Epoch: 4, Seq: 10, Hash: this, Offset: 200}, replog.Adopted},
		{"beyond the end, the log begins again elsewhere", beyond, again(4, 9, "before"), beyond, replog.Foreign},
		{"beyond the end, the log began again before a later marker", fenced, again(5, 10, "tip"), fenced, replog.Skipped},
		{"beyond the end, the genesis of another log", beyond, genesis(10, "tip"), beyond, replog.Skipped},
		{"beyond the end, a barrier", beyond, replog.Record{Kind: replog.BarrierKind}, beyond, replog.Passed},
		{"an empty database, the first genesis", replog.State{}, replog.Record{Kind: replog.GenesisKind, LogID: "new", Epoch: 1}, replog.State{LogID: "new", Epoch: 1, Hash: this, Offset: 200}, replog.Adopted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, verdict := replog.Fold(test.state, &test.record, 200, this)
			if verdict != test.verdict {
				t.Errorf("verdict %d, want %d", verdict, test.verdict)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStateMakesRecordsThatContinueIt(t *testing.T) {
	s := replog.State{LogID: "log", Epoch: 3, Seq: 10, Hash: hash("tip"), Offset: 100}
	entry := s.NewEntry()
	if _, v := replog.Fold(s, &entry, 101, hash("x")); v != replog.Valid {
		t.Errorf("its next entry gets the verdict %d", v)
	}
	beyond := s
	beyond.LogID, beyond.Left, beyond.Beyond, beyond.Fence = "", "log", true, 9
	again := beyond.NewGenesis("new", "w", 7)
	if after, v := replog.Fold(beyond, &again, 120, hash("z")); v != replog.Adopted || after.Epoch != 10 || after.LogID != "log" {
		t.Errorf("its genesis within the log gets the verdict %d, %+v", v, after)
	}
	genesis := s.NewGenesis("new", "w", 7)
	s.LogID = ""
	after, v := replog.Fold(s, &genesis, 0, hash("y"))
	if v != replog.Adopted || after.Epoch != 8 {
		t.Errorf("its genesis gets the verdict %d and the epoch %d, want one above all that were seen", v, after.Epoch)
	}
}
