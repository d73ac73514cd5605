// Package dbtest is a database in memory, for tests of what uses a dbclient.DB: it answers as the
// orchestrator and the workers behind it do, stored replies included.
package dbtest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
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
	if err := w.Check(); err != nil {
		return db.WriteResult{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	reply, known := d.replies[id]
	if !known || id == "" {
		reply = wire(d.execute(w))
	}
	if d.replies == nil {
		d.replies = map[string]db.Reply{}
	}
	d.replies[id] = reply
	if reply.Error != nil {
		return db.WriteResult{}, reply.Error
	}
	consistency.FromContext(ctx).See(reply.Write.Position)
	return *reply.Write, nil
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

// Call answers the body of a message to the queues of writes and reads: it is the worker's half of
// a bus.
func (d *DB) Call(ctx context.Context, write bool, id string, body []byte) []byte {
	var reply db.Reply
	var err error
	if write {
		var w db.Write
		decoder := json.NewDecoder(bytes.NewReader(body)) // db.DecodeWrite admits no clear
		decoder.UseNumber()
		if err = decoder.Decode(&w); err == nil {
			var result db.WriteResult
			result, err = d.Write(ctx, id, w)
			reply.Write = &result
		}
	} else {
		var r db.Read
		if r, err = db.DecodeRead(body); err == nil {
			var result db.ReadResult
			result, err = d.Read(ctx, r)
			reply.Read = &result
		}
	}
	if err != nil {
		e, ok := err.(*db.Error)
		if !ok {
			e = db.Errorf(db.Invalid, "%s", err)
		}
		reply = db.Reply{Error: e}
	}
	return reply.Encode()
}
