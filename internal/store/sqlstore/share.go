package sqlstore

import (
	"context"
	"slices"
	"sync/atomic"

	"rideshare/internal/db"
)

const (
	// sharers is the number of connections for reads by key. The fewer, the more reads share a
	// snapshot; with two, one is answered while the next gathers.
	sharers = 2
	// maxShared bounds the reads that share a snapshot, so that none waits long for the others.
	maxShared = 64
)

// reading is a read under way.
type reading struct {
	caller  context.Context
	schema  int         // the lowest version that the queries need
	queries []statement // put their answers into result
	result  db.ReadResult
	size    *int // of the results, about, of all that share its snapshot
	err     error
	done    chan struct{} // of one that shares: closed when result or err is there
}

// byKey reports whether every query names a value of what its table's key begins with. Such reads
// take some microseconds each, so that they can wait for each other. How long any other read takes
// is not known before.
func byKey(r db.Read) bool {
	return !slices.ContainsFunc(r.Queries, func(q db.Query) bool {
		t, ok := db.LookupTable(q.Table)
		return !ok || !slices.ContainsFunc(q.Where, func(c db.Condition) bool {
			return c.Op == db.Eq && c.Column == t.Key[0]
		})
	})
}

// share has a read executed in a snapshot that others may share.
func (s *Store) share(ctx context.Context, r *reading) error {
	select {
	case s.shared <- r:
	case <-ctx.Done():
		return s.fault(ctx, ctx.Err())
	case <-s.closing.Done():
		return s.fault(ctx, s.closing.Err())
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return s.fault(ctx, ctx.Err())
	}
}

// answer answers on one connection, until the store closes, what waits whenever that is free: one
// read where there are few, many in one snapshot where they come faster.
func (s *Store) answer(c *conn) {
	for {
		select {
		case first := <-s.shared:
			// They have joined, so what they have waited for is committed: the snapshot, which is
			// taken later, holds it.
			s.execute(c, s.gather(first)...)
		case <-s.closing.Done():
			return
		}
	}
}

// gather takes what waits.
func (s *Store) gather(first *reading) []*reading {
	all := []*reading{first}
	for len(all) < maxShared {
		select {
		case r := <-s.shared:
			all = append(all, r)
		default:
			return all
		}
	}
	return all
}

// execute executes reads in one snapshot, but for those whose callers do not wait any more. Where
// one of them fails, each gets a snapshot of its own, so that it fails alone; where the connection
// does, all of them fail.
func (s *Store) execute(c *conn, all ...*reading) {
	all = slices.DeleteFunc(all, func(r *reading) bool { return r.caller.Err() != nil })
	if len(all) == 0 {
		return
	}
	ctx, end := s.forAll(all)
	err := s.fault(ctx, s.snapshot(ctx, c, all...))
	end()
	if err != nil && c.reset(s.closing) && len(all) > 1 {
		for _, r := range all {
			s.execute(c, r)
		}
		return
	}
	for _, r := range all {
		r.err = err
		close(r.done)
	}
}

// forAll returns a context that ends when no caller waits any more, or the store closes.
func (s *Store) forAll(all []*reading) (context.Context, func()) {
	ctx, cancel := context.WithCancel(s.closing)
	var waiting atomic.Int64
	waiting.Store(int64(len(all)))
	stops := make([]func() bool, len(all))
	for i, r := range all {
		stops[i] = context.AfterFunc(r.caller, func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
