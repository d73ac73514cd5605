package workers

import (
	"context"
	"errors"
	"maps"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
	"rideshare/internal/tracing"
)

// request is a write on its way through the master.
type request struct {
	id     string    // empty: the master's own
	made   time.Time // when its caller published it, by its clock; zero where that is not known
	digest string    // of the caller's request; its reply carries it
	write  db.Write
	reply  []byte   // nil until it is known
	first  *request // an earlier request of the batch with the same id, whose reply it shares
}

// commit serves a batch of deliveries: it executes them, replies, and acknowledges. An error means
// that none of them was replied to or acknowledged.
func (r *replica) commit(ctx context.Context, batch []bus.Delivery) (err error) {
	start := time.Now()
	ctx, span := r.takeBatch(ctx, batch)
	defer func() { tracing.End(span, err) }()
	requests := make([]*request, len(batch))
	for i, d := range batch {
		requests[i] = &request{id: d.ID, made: d.Published, digest: d.Digest}
		w, err := db.DecodeQueued(d.Body)
		if err != nil {
			requests[i].reply = refusal(err, d.Digest)
		}
		requests[i].write = w
	}
	if err := r.write(ctx, requests); err != nil {
		return err
	}
	if len(batch) > 0 {
		r.Metrics.Committed(len(batch), time.Since(start))
	}
	for i, d := range batch {
		reply := requests[i].reply
		if first := requests[i].first; first != nil {
			reply = first.reply
		}
		r.writes.Add(1)
		// Where the connection is lost here, the message comes again, and is answered from the
		// stored reply.
		if err := d.Reply(ctx, reply); err == nil {
			_ = d.Ack() // as above
		}
	}
	return nil
}

// write executes the requests that have no reply yet as one entry, and returns when it is in the
// log as valid and in the database. No request at all makes an empty entry.
//
// The transaction stays open until the entry was read back: only then does it count (invariant I2).
func (r *replica) write(ctx context.Context, requests []*request) error {
	var ids []string
	for _, q := range requests {
		if q.id != "" && q.reply == nil {
			ids = append(ids, q.id)
		}
	}
	tx, err := r.Store.Begin(ctx, ids...)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after Commit
	stored, err := tx.Replies(ctx, ids)
	if err != nil {
		return err
	}
	fresh := r.unanswered(stored, requests)
	if len(fresh) == 0 && len(requests) > 0 {
		return nil
	}
	entry := r.state.NewEntry()
	entry.At = time.Now().UTC().Truncate(time.Microsecond)
	if err := perform(ctx, tx, fresh, &entry); err != nil {
		r.trial = resolved(fresh, &entry)
		return err
	}
	_, logging := tracing.Start(ctx, "append to the log")
	e, err := r.propose(ctx, &entry, r.observe)
	tracing.End(logging, err)
	if err != nil {
		return err
	}
	b := store.Bookkeeping{State: e.State}
	bookkeep(&b, &entry)
	_, committing := tracing.Start(ctx, "commit to the database")
	err = tx.Commit(ctx, b)
	tracing.End(committing, err)
	if err != nil {
		// The log has the entry, so it counts; but whether this database has it is not known. The
		// worker gives up without a word to the callers: the next master answers from its log.
		return err
	}
	r.state, r.idle = e.State, 0
	r.status.update(func(v *view) { v.Log = e.State })
	return nil
}

// resolved returns what the requests would do.
func resolved(requests []*request, entry *replog.Record) [][]db.Op {
	all := make([][]db.Op, len(requests))
	seqs := maps.Clone(entry.Sequences)
	if seqs == nil { // not known: there was no room to read them
		seqs = db.Sequences{}
	}
	for i, q := range requests {
		all[i], _ = db.Resolve(q.write, seqs, entry.At)
	}
	return all
}

// unanswered gives those requests their stored reply that were executed before, and returns the others.
func (r *replica) unanswered(stored map[string][]byte, requests []*request) []*request {
	var fresh []*request
	seen := map[string]*request{}
	for _, q := range requests {
		if q.reply != nil {
			continue
		}
		if reply, ok := stored[q.id]; ok {
			if q.reply = r.recall(q, reply); q.reply != nil {
				continue
			}
		}
		if q.first = seen[q.id]; q.first != nil {
			continue
		}
		if q.id != "" {
			seen[q.id] = q
		}
		fresh = append(fresh, q)
	}
	return fresh
}

// recall returns the reply to a request that was executed before, or nil if a clear has discarded it
// and the request is to be executed anew.
func (r *replica) recall(q *request, stored []byte) []byte {
	reply, err := db.DecodeReply(stored)
	switch {
	case err != nil || reply.Cleared.IsZero():
		return stored
	case len(q.write.Ops) == 1 && q.write.Ops[0].Clear:
		// Executed again, the clear would delete writes that were acknowledged since.
		return db.Reply{Write: &db.WriteResult{Results: make([]db.OpResult, 1), Position: r.state.Position()}}.Encode()
	case !q.made.IsZero() && q.made.Before(reply.Cleared):
		// The message was delivered again. Executed after the clear, it would restore deleted data.
		// A caller that still waits sends the request again.
		return refusal(db.Errorf(db.Unavailable, "the database was cleared after the request was sent"), "")
	default:
		return nil
	}
}

// perform executes the requests in the transaction, and puts what they did into the entry.
func perform(ctx context.Context, tx store.Tx, requests []*request, entry *replog.Record) (err error) {
	ctx, span := tracing.Start(ctx, "execute in the database")
	defer func() { tracing.End(span, err) }()
	seqs, err := tx.Sequences(ctx)
	if err != nil {
		return err
	}
	entry.Sequences = seqs
	err = try(ctx, tx, requests, entry)
	if !refused(err) {
		return err
	}
	// One of them fails, and all were undone. One by one, the one that fails is undone alone, and
	// takes no number of a sequence with it.
	for _, q := range requests {
		err := try(ctx, tx, []*request{q}, entry)
		if refused(err) {
			q.reply = refusal(err, q.digest)
			entry.Txs = append(entry.Txs, replog.Tx{ID: q.id, Reply: q.reply})
		} else if err != nil {
			return err
		}
	}
	return nil
}

// try executes requests, all or none, and adds what they did to the entry.
func try(ctx context.Context, tx store.Tx, requests []*request, entry *replog.Record) error {
	seqs := maps.Clone(entry.Sequences)
	txs := make([]replog.Tx, len(requests))
	resolved := make([][]map[string]db.Value, len(requests))
	ops := make([][]db.Op, len(requests))
	for i, q := range requests {
		ops[i], resolved[i] = db.Resolve(q.write, seqs, entry.At)
		txs[i] = replog.Tx{ID: q.id, Ops: ops[i]}
	}
	results, err := tx.Execute(ctx, ops...)
	if err != nil {
		return err
	}
	for i, q := range requests {
		for j := range results[i] {
			results[i][j].Values = resolved[i][j]
		}
		q.reply = db.Reply{Write: &db.WriteResult{Results: results[i], Position: entry.Position()}, Digest: q.digest}.Encode()
		txs[i].Reply = q.reply
	}
	entry.Sequences = seqs
	entry.Txs = append(entry.Txs, txs...)
	return nil
}

// refused reports whether err is the final answer to a request, not a fault of the database.
func refused(err error) bool {
	var e *db.Error
	return errors.As(err, &e)
}

// refusal is the reply that tells a caller of err.
func refusal(err error, digest string) []byte {
	var e *db.Error
	if !errors.As(err, &e) {
		e = db.Errorf(db.Unavailable, "%s", err)
	}
	return db.Reply{Error: e, Digest: digest}.Encode()
}
