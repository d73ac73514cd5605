// Package dbtest is a database in memory, for tests of what uses a dbclient.DB: it answers as the
// orchestrator and the workers behind it do, stored replies included.
package dbtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

// DB is the database. Its zero value is empty and ready.
type DB struct {
	mu        sync.Mutex
	tables    map[string][]db.Row
	sequences db.Sequences
	replies   map[string]db.Reply
	position  db.Position
}

// Write implements dbclient.DB.
func (d *DB) Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error) {
	digest := httpapi.Digest(ctx)
	reply := d.write(id, digest, w)
	if err := reply.Fits(digest); err != nil {
		return db.WriteResult{}, err
	}
	if reply.Error != nil {
		return db.WriteResult{}, reply.Error
	}
	consistency.FromContext(ctx).See(reply.Write.Position)
	return *reply.Write, nil
}

// write returns the reply to a write, which may be that to an earlier one.
func (d *DB) write(id, digest string, w db.Write) db.Reply {
	if err := w.Check(); err != nil {
		return failure(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	reply, known := d.replies[id]
	if !known || id == "" {
		reply = wire(d.execute(w))
		reply.Digest = digest
	}
	if d.replies == nil || !known && slices.ContainsFunc(w.Ops, func(op db.Op) bool { return op.Clear }) {
		d.replies = map[string]db.Reply{}
	}
	d.replies[id] = reply
	return reply
}

// Read implements dbclient.DB.
func (d *DB) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	if err := r.Check(); err != nil {
		return db.ReadResult{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.position.Covers(r.After) {
		return db.ReadResult{}, db.Errorf(db.BadPosition, "the log does not reach %s", r.After)
	}
	result := db.ReadResult{Position: d.position}
	for _, q := range r.Queries {
		result.Results = append(result.Results, d.query(q))
	}
	consistency.FromContext(ctx).See(d.position)
	return *wire(db.Reply{Read: &result}).Read, nil
}

// Reset loses everything, the positions included.
func (d *DB) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tables, d.sequences, d.replies, d.position = nil, nil, nil, db.Position{}
}

// execute executes a write as a whole, or not at all.
func (d *DB) execute(w db.Write) db.Reply {
	tables, sequences := maps.Clone(d.tables), maps.Clone(d.sequences)
	if tables == nil {
		tables, sequences = map[string][]db.Row{}, db.Sequences{}
	}
	ops, values := db.Resolve(w, sequences, time.Now())
	t := transaction{tables: tables}
	results := make([]db.OpResult, len(ops))
	for i, op := range ops {
		rows, err := t.apply(i, op)
		if err != nil {
			return db.Reply{Error: err}
		}
		results[i] = db.OpResult{Rows: rows, Values: values[i]}
	}
	d.tables, d.sequences = t.tables, sequences
	d.position = db.Position{Epoch: 1, Seq: d.position.Seq + 1}
	return db.Reply{Write: &db.WriteResult{Results: results, Position: d.position}}
}

// wire returns the reply as it is after a network.
func wire(r db.Reply) db.Reply {
	out, err := db.DecodeReply(r.Encode())
	if err != nil {
		panic(err)
	}
	return out
}

// Call answers a message to the queues of writes and reads: it is the worker's half of a bus.
func (d *DB) Call(ctx context.Context, q bus.Queue, r bus.Request) []byte {
	if q == bus.Writes {
		w, err := db.DecodeQueued(r.Body)
		if err != nil {
			return failure(err).Encode()
		}
		return d.write(r.ID, r.Digest, w).Encode()
	}
	read, err := db.DecodeRead(r.Body)
	if err != nil {
		return failure(err).Encode()
	}
	result, err := d.Read(ctx, read)
	if err != nil {
		return failure(err).Encode()
	}
	return db.Reply{Read: &result}.Encode()
}

func failure(err error) db.Reply {
	var e *db.Error
	if !errors.As(err, &e) {
		e = db.Errorf(db.Invalid, "%s", err)
	}
	return db.Reply{Error: e}
}
