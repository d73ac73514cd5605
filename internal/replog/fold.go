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
	// Adopted: a genesis that goes on where the replica's database ends, or the entry that it ends with. The
	// replica follows this log from now on.
	Adopted
	// NewEpoch: a valid marker. A replica beyond the log's end stays there.
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
//
// A log that has lost its end goes on with another genesis, of a later epoch.
func Fold(s State, r *Record, offset Offset, hash Hash) (State, Verdict) {
	switch {
	case r.Kind == BarrierKind:
		return s, Passed
	case s.LogID == "" && (s.Beyond || r.Kind == GenesisKind && r.LogID != "" && r.LogID == s.Left):
		return s.beyond(r, offset, hash)
	case s.LogID == "":
		return s.seek(r, offset, hash)
	case r.Kind == GenesisKind && r.LogID == s.LogID && r.Epoch > s.Epoch:
		return s.seek(r, offset, hash)
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

// seek looks for the log that goes on where the replica's database ends.
func (s State) seek(r *Record, offset Offset, hash Hash) (State, Verdict) {
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

// beyond is for a replica whose log no longer has the last record that the replica has: the log has lost its end, as
// a broker's does that loses power. What the replica has counts, and what is appended to the log does not, until either
// another genesis begins it again, or an entry that continues what is left shows that the others have gone on.
func (s State) beyond(r *Record, offset Offset, hash Hash) (State, Verdict) {
	switch {
	case r.Kind == GenesisKind && r.LogID == s.Left && r.Epoch > max(s.Epoch, s.Fence):
		return s.seek(r, offset, hash)
	case r.Kind == GenesisKind && r.LogID == s.Left && r.Epoch > s.Fence:
		s.Beyond, s.Fence, s.Tip = true, r.Epoch, hash
	case r.Kind == MarkerKind && r.Epoch > s.Fence:
		s.Fence = r.Epoch
		if r.Epoch > s.Epoch {
			return s, NewEpoch
		}
	case r.Kind == EntryKind && s.continues(r):
		s.Fence, s.Tip = r.Epoch, hash
		switch {
		case hash == s.Hash: // it was appended again, or only a marker after it was lost
			return State{LogID: s.Left, Epoch: r.Epoch, Seq: r.Seq, Hash: hash, Offset: offset}, Adopted
		case r.Epoch > s.Epoch, r.Seq >= s.Seq:
			return s, Foreign
		}
	}
	return s, Skipped
}

// continues reports whether an entry continues what the log holds, for a replica that is beyond its end. Where the log's
// beginning was truncated, the first entry is taken to do so.
func (s State) continues(r *Record) bool {
	if s.Tip == (Hash{}) {
		return r.Epoch >= s.Fence
	}
	return r.Epoch == s.Fence && r.Prev == s.Tip
}

// leave returns the state of a replica whose log does not hold what it has read.
func (s State) leave() State {
	s.Left, s.LogID = s.LogID, ""
	return s
}

// NewEntry returns the entry that goes on from s in its epoch.
func (s State) NewEntry() Record {
	return Record{Kind: EntryKind, Epoch: s.Epoch, Seq: s.Seq + 1, Prev: s.Hash}
}

// NewGenesis returns the record that begins a log where s ends: the log id, or the one that s is of, where that has
// only lost its end. Its epoch lies above every epoch that a reader may have seen in what was lost.
func (s State) NewGenesis(id, worker string, above uint64) Record {
	if s.Beyond {
		id = s.Left
	}
	return Record{
		Kind: GenesisKind, LogID: id, Worker: worker,
		Epoch: max(s.Epoch, s.Fence, above) + 1, Seq: s.Seq, Prev: s.Hash,
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
