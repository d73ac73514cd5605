package replog_test

import (
	"fmt"
	"testing"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

// entryOf returns an entry of so many rides that were offered.
func entryOf(n int) replog.Record {
	state := replog.State{LogID: "log", Epoch: 3, Seq: 10, Hash: hash("tip")}
	e := state.NewEntry()
	e.At = time.Unix(1_800_000_000, 0).UTC()
	e.Sequences = db.Sequences{"rides": 1 << 30}
	for i := range n {
		ops := []db.Op{{Insert: "rides", Values: map[string]db.Value{
			"ride_id": int64(i), "created_by": "alice", "source": int64(1), "destination": int64(2), "departs_at": e.At,
		}}}
		reply := db.Reply{Write: &db.WriteResult{Results: []db.OpResult{{Rows: 1, Values: map[string]db.Value{"ride_id": int64(i)}}}, Position: e.Position()}}
		e.Txs = append(e.Txs, replog.Tx{ID: fmt.Sprintf("3f1c0a52-8f0e-4a8c-9e55-%012d", i), Ops: ops, Reply: reply.Encode()})
	}
	return e
}

var batches = []int{1, 16, 256}

func BenchmarkEncode(b *testing.B) {
	for _, n := range batches {
		e := entryOf(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Encode()
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range batches {
		data := entryOf(n).Encode()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := replog.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFold folds entries that follow each other, hashes included.
func BenchmarkFold(b *testing.B) {
	for _, n := range batches {
		e := entryOf(n)
		data := e.Encode()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			state := replog.State{LogID: "log", Epoch: e.Epoch, Seq: e.Seq - 1, Hash: e.Prev}
			for b.Loop() {
				e.Seq, e.Prev = state.Seq+1, state.Hash
				next, verdict := replog.Fold(state, &e, 100, replog.HashOf(data))
				if verdict != replog.Valid {
					b.Fatalf("verdict %d", verdict)
				}
				state = next
			}
		})
	}
}
