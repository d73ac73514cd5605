package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

const (
	// largeRows is how many rows a read sorts or returns at most beside other reads.
	largeRows = 5000
	// waitingLarge is how many large reads wait for their turn; the others are refused. They hold places among
	// the reads that the replica has in hand.
	waitingLarge = 4
	// restAfterLarge is how many times as long as a large read took nobody has the next turn: the processors,
	// and the database's memory, are for the other reads and for the log in between.
	restAfterLarge = 3
	// longestRest ends that: those who wait have a deadline.
	longestRest = 2 * time.Second
)

// rowCounts returns statements that count the rows of those queries which may be large, and set large where
// one is. No more are counted than it takes to know, and none where an index has the rows in order and few
// are asked for. A query for a count reads as many rows as it counts, and keeps none.
func rowCounts(r db.Read, large *bool) ([]statement, error) {
	var counts []statement
	for _, q := range r.Queries {
		t, err := lookup(q.Table)
		if err != nil {
			return nil, err
		}
		if q.Count || q.Limit > 0 && q.Limit <= largeRows && t.Ordered(q.Where, q.Order(t)) {
			continue
		}
		clause, args, err := where(t, q.Where, nil)
		if err != nil {
			return nil, err
		}
		var n int
		counts = append(counts, statement{
			text: "SELECT COUNT(*) FROM (SELECT 1 FROM " + quote(t.Name) + clause + " LIMIT ?) AS some",
			args: append(args, largeRows+1),
			each: func(rows *sql.Rows) error { return rows.Scan(&n) },
			then: func() error {
				*large = *large || n > largeRows
				return nil
			},
		})
	}
	return counts, nil
}

// turns lets one run at a time, and few wait.
type turns struct {
	waiting chan struct{} // holds a token for each that waits or runs
	running chan struct{} // holds one while somebody runs, and for a while after
}

func newTurns() *turns {
	return &turns{waiting: make(chan struct{}, waitingLarge+1), running: make(chan struct{}, 1)}
}

// do runs f when it is its turn. store.ErrBusy: too many wait.
func (t *turns) do(ctx context.Context, f func() error) error {
	select {
	case t.waiting <- struct{}{}:
	default:
		return store.ErrBusy
	}
	defer func() { <-t.waiting }()
	select {
	case t.running <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	begun := time.Now()
	defer func() { time.AfterFunc(min(restAfterLarge*time.Since(begun), longestRest), func() { <-t.running }) }()
	return f()
}
