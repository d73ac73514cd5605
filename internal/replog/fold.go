package replog

import (
	"slices"

	"rideshare/internal/db"
)

// Verdict is what a record means to a reader.
type Verdict int

const (
	// Skipped records change nothing: late ones of a deposed master, duplicates, unreadable ones.
	Skipped Verdict = iota
	// Adopted: a genesis that goes on where the replica's database ends. The replica follows this
	// log from now on.
	Adopted
	// NewEpoch: a valid marker.
	NewEpoch
	// Valid: a valid entry.
	Valid
	// Passed: a barrier.
	Passed
	// Foreign: the log begins with another history than the replica's. Only a snapshot helps.
	Foreign
	// Corrupt: an entry of the right epoch does not continue the chain. The replica or the log is
	// damaged: stop, alarm, rebuild the replica.
	Corrupt
)

// Fold is the whole rule of what counts: the state after the record, which has that offset and
// hash. It is a pure function, so every replica that reads the same records has the same state.
//
// A state without a LogID is that of a replica which looks for the log its database belongs to.
// Only a genesis can end that: everything before the first genesis is a stray.
func Fold(s State, r *Record, offset Offset, hash Hash) (State, Verdict) {
	switch {
	case r.Kind == BarrierKind:
		return s, Passed
	case s.LogID == "":
		return seek(s, r, offset, hash)
	case r.Kind == MarkerKind && r.Epoch > s.Epoch:
		s.Epoch = r.Epoch
		return s, NewEpoch
	case r.Kind == EntryKind && r.Epoch == s.Epoch && r.Seq > s.Seq:
		if r.Seq != s.Seq+1 || r.Prev != s.Hash {
			return s, Corrupt
		}
		s.Seq, s.Hash, s.Offset = r.Seq, hash, offset
		return s, Valid
	}
	return s, Skipped
}

func seek(s State, r *Record, offset Offset, hash Hash) (State, Verdict) {
	switch {
	case r.Kind != GenesisKind || r.LogID == "":
		return s, Skipped
	case r.Seq != s.Seq || r.Prev != s.Hash:
		return s, Foreign
	}
	// The epoch is the log's, even where the replica has seen a higher one in the log that was
	// lost: with another epoch it would judge the next marker unlike its peers.
	return State{LogID: r.LogID, Epoch: r.Epoch, Seq: r.Seq, Hash: hash, Offset: offset}, Adopted
}

// NewEntry returns the entry that goes on from s in its epoch.
func (s State) NewEntry() Record {
	return Record{Kind: EntryKind, Epoch: s.Epoch, Seq: s.Seq + 1, Prev: s.Hash}
}

// NewGenesis returns the record that begins the log id where s ends. Its epoch lies above every
// epoch that a reader may have seen in the log that was lost.
func (s State) NewGenesis(id, worker string, above uint64) Record {
	return Record{
		Kind: GenesisKind, LogID: id, Worker: worker,
		Epoch: max(s.Epoch, above) + 1, Seq: s.Seq, Prev: s.Hash,
	}
}

// Position returns the position of an entry.
func (r *Record) Position() db.Position { return db.Position{Epoch: r.Epoch, Seq: r.Seq} }

// Migrates reports whether a transaction of the entry changes the schema.
func (r *Record) Migrates() bool {
	return slices.ContainsFunc(r.Txs, func(t Tx) bool {
		return slices.ContainsFunc(t.Ops, func(op db.Op) bool { return op.Migrate != 0 })
	})
}

// Requests returns the ops of the transactions that change something, in their order.
func (r *Record) Requests() [][]db.Op {
	var requests [][]db.Op
	for _, t := range r.Txs {
		if len(t.Ops) > 0 {
			requests = append(requests, t.Ops)
		}
	}
	return requests
}
