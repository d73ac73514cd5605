package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"rideshare/client"
	"rideshare/internal/db"
)

const (
	// restoreBytes bounds the rows of one write: a request may have 1 MiB.
	restoreBytes = 512 << 10
	// restoreAtOnce is how many writes are under way at a time: while the master waits for the log,
	// the next ones arrive.
	restoreAtOnce = 4
)

// load sends the rows, a batch a transaction, and then advances the sequences. Batches of one table
// may overtake each other; a table begins when those it refers to are whole.
func (r *restorer) load(ctx context.Context, bar *progress) error {
	in, err := r.source.again()
	if err != nil {
		return err
	}
	l := &loader{restorer: r, bar: bar, id: uuid.NewString()}
	l.group, l.ctx = newGroup(ctx)
	end, err := in.Read(func(op db.Op) error { return l.add(ctx, op) }, nil)
	l.flush()
	if late := l.group.Wait(); late != nil {
		err = late // what it has made of the reading says less
	}
	if err == nil && end != r.trailer {
		err = fmt.Errorf("%s has changed while it was read", r.source.name)
	}
	if err != nil {
		return err
	}
	return r.advance(ctx)
}

func newGroup(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(restoreAtOnce)
	return g, ctx
}

// loader gathers rows into writes.
type loader struct {
	*restorer
	bar   *progress
	group *errgroup.Group
	ctx   context.Context // of the group
	id    string          // of this restore: the writes' keys begin with it

	table string
	ops   []client.WriteOp
	bytes int
	n     int // writes so far
}

func (l *loader) add(ctx context.Context, op db.Op) error {
	if op.Insert != l.table {
		l.flush()
		if err := l.group.Wait(); err != nil {
			return err
		}
		l.group, l.ctx = newGroup(ctx)
		l.table = op.Insert
	}
	encoded, err := json.Marshal(op.Values)
	if err != nil {
		return err
	}
	if len(l.ops) == db.MaxOps || l.bytes+len(encoded) > restoreBytes {
		l.flush()
	}
	l.ops, l.bytes = append(l.ops, client.WriteOp{Insert: op.Insert, Values: op.Values}), l.bytes+len(encoded)
	return l.ctx.Err() // a write has failed: the others are of no use
}

// flush sends what was gathered. A write that is sent again, because an answer was lost, happens
// once: it has a key.
func (l *loader) flush() {
	if len(l.ops) == 0 {
		return
	}
	request := client.WriteRequest{Ops: l.ops}
	ctx := client.WithIdempotencyKey(l.ctx, fmt.Sprintf("restore-%s-%d", l.id, l.n))
	l.ops, l.bytes, l.n = nil, 0, l.n+1
	l.group.Go(func() error {
		if _, err := l.client.DBWrite(ctx, request); err != nil {
			return err
		}
		l.restored.Add(int64(len(request.Ops)))
		l.bar.add(int64(len(request.Ops)))
		return nil
	})
}

// advance lets the sequences go on where they were.
func (r *restorer) advance(ctx context.Context) error {
	var request client.WriteRequest
	for _, name := range slices.Sorted(maps.Keys(r.sequences)) {
		if to := r.sequences[name]; to > 0 {
			request.Ops = append(request.Ops, client.WriteOp{Advance: name, To: &to})
		}
	}
	if len(request.Ops) == 0 {
		return nil
	}
	_, err := r.client.DBWrite(ctx, request)
	return err
}
