package load

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"rideshare/internal/db"
)

// Ledger is what the clients know to be true: every acknowledged ride, by its writer's own key.
type Ledger struct {
	mu       sync.Mutex
	rides    map[key]int64 // -> rideId
	acks     []Ack
	failures []string
	requests int
	loads    int
}

// key tells each write from every other: the writer, and a time of departure that is never used
// again.
type key struct {
	writer  string
	departs int64 // Unix seconds
}

// Ack is the moment of an acknowledged write, how long its writer waited for it, and the epoch of
// the master that did it.
type Ack struct {
	At    time.Time
	Took  time.Duration
	Epoch uint64
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger { return &Ledger{rides: map[key]int64{}} }

// newGeneration returns a number for the names of the next load's writers.
func (l *Ledger) newGeneration() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads++
	return l.loads
}

// Count counts a request, and notes that it failed.
func (l *Ledger) Count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	if err != nil {
		l.failures = append(l.failures, fmt.Sprintf("%s: %v", time.Now().Format("15:04:05.000"), err))
	}
}

// Failures returns how many requests there were, and what failed.
func (l *Ledger) Failures() (requests int, failures []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests, slices.Clone(l.failures)
}

// Rides returns the number of acknowledged rides.
func (l *Ledger) Rides() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rides)
}

func (l *Ledger) acknowledge(k key, ride int64, a Ack) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rides[k] = ride
	l.acks = append(l.acks, a)
}

// FirstAfter returns the first acknowledgement of a later epoch than that: the end of a failover.
func (l *Ledger) FirstAfter(epoch uint64) (Ack, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var later []Ack
	for _, a := range l.acks {
		if a.Epoch > epoch {
			later = append(later, a)
		}
	}
	if len(later) == 0 {
		return Ack{}, false
	}
	return slices.MinFunc(later, func(a, b Ack) int { return a.At.Compare(b.At) }), true
}

// Waits returns how long the writers waited for what was acknowledged since then, the longest last.
func (l *Ledger) Waits(since time.Time) []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var waits []time.Duration
	for _, a := range l.acks {
		if !a.At.Before(since) {
			waits = append(waits, a.Took)
		}
	}
	slices.Sort(waits)
	return waits
}

// Gap is a time without any acknowledged write.
type Gap struct{ From, To time.Time }

// String returns how long it was, and when it ended.
func (g Gap) String() string {
	return fmt.Sprintf("%v until %s", g.To.Sub(g.From).Round(time.Millisecond), g.To.Format("15:04:05.000"))
}

// shortestGap is what counts as a gap.
const shortestGap = time.Second

// Gaps returns the gaps of a second or more between two times, the first first.
func (l *Ledger) Gaps(from, to time.Time) []Gap {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := []time.Time{to}
	for _, a := range l.acks {
		if a.At.After(from) && a.At.Before(to) {
			times = append(times, a.At)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	var gaps []Gap
	for last := from; len(times) > 0; last, times = times[0], times[1:] {
		if times[0].Sub(last) >= shortestGap {
			gaps = append(gaps, Gap{last, times[0]})
		}
	}
	return gaps
}

// Last returns the time of the newest acknowledgement.
func (l *Ledger) Last() (last time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.acks {
		if a.At.After(last) {
			last = a.At
		}
	}
	return last
}

// first is the departure of the first ride.
var first = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)

// departure is that of a writer's n-th ride.
func departure(n int) time.Time { return first.Add(time.Duration(n) * time.Second) }

// Writer creates rides one after the other until ctx ends, and reads each one back, by another
// instance's eyes: with the Consistency-Token that came with the acknowledgement.
func (t *Target) Writer(ctx context.Context, l *Ledger, writer string) {
	for n := 0; ctx.Err() == nil; n++ {
		t.think(ctx)
		k := key{writer, departure(n).Unix()}
		// What was begun is finished: only so is it known whether it was done.
		begun := time.Now()
		a, err := t.createRide(context.WithoutCancel(ctx), l, k)
		took := time.Since(begun)
		l.Count(err)
		if err != nil {
			continue
		}
		var created struct{ RideID int64 }
		if err := json.Unmarshal(a.Body, &created); err != nil {
			l.Count(fmt.Errorf("the answer %.100s: %w", a.Body, err))
			continue
		}
		l.acknowledge(k, created.RideID, Ack{At: begun.Add(took), Took: took, Epoch: a.Position().Epoch})
		// Read your writes.
		_, err = t.Must(context.WithoutCancel(ctx), http.StatusOK, http.MethodGet, fmt.Sprint("/rides/", created.RideID), nil, "Consistency-Token", a.Token)
		l.Count(err)
	}
}

// createRide creates a ride. Where the target persists, it tries again under the same
// Idempotency-Key, and counts the tries that failed.
func (t *Target) createRide(ctx context.Context, l *Ledger, k key) (Answer, error) {
	ride := map[string]any{
		"created_by": k.writer, "source": 1, "destination": 2,
		"timestamp": time.Unix(k.departs, 0).UTC().Format("02-01-2006:05-04-15"),
	}
	idempotencyKey := fmt.Sprint(k.writer, "-", k.departs)
	for begun := time.Now(); ; {
		a, err := t.Must(ctx, http.StatusCreated, http.MethodPost, "/rides", ride, "Idempotency-Key", idempotencyKey)
		if err == nil || time.Since(begun) > t.Persist {
			return a, err
		}
		l.Count(err)
		time.Sleep(retryPause)
	}
}

// retryPause is how long a writer that persists waits before it tries again.
const retryPause = 100 * time.Millisecond

// Fill adds rides in batches: what a system holds that has run for a while.
func (t *Target) Fill(ctx context.Context, l *Ledger, rides int) error {
	owner := fmt.Sprint("owner", l.newGeneration())
	_, err := t.Write(ctx, db.Op{Insert: "users", Values: map[string]any{"username": owner, "password_hash": "none"}})
	for n := 0; n < rides && err == nil; n += db.MaxOps {
		err = t.fill(ctx, l, owner, n, min(n+db.MaxOps, rides))
	}
	return err
}

// fill adds rides of the owner in one write.
func (t *Target) fill(ctx context.Context, l *Ledger, owner string, from, to int) error {
	var ops []db.Op
	for n := from; n < to; n++ {
		ops = append(ops, db.Op{Insert: "rides", Values: map[string]any{
			"ride_id": db.Next("rides"), "created_by": owner, "source": 1 + n%198, "destination": 1 + (n+1)%198,
			"departs_at": departure(n).Format(time.RFC3339),
		}})
	}
	begun := time.Now()
	result, err := t.Write(ctx, ops...)
	if err != nil {
		return err
	}
	ack := Ack{At: time.Now(), Took: time.Since(begun), Epoch: result.Position.Epoch}
	for i, r := range result.Results {
		l.acknowledge(key{owner, departure(from + i).Unix()}, db.Row(r.Values).Int("ride_id"), ack)
	}
	return nil
}

// Reader reads until ctx ends, at all levels, and checks that a session never goes back.
func (t *Target) Reader(ctx context.Context, l *Ledger) {
	var newest Answer
	count := []db.Query{{Table: "rides", Count: true}}
	for n := 0; ctx.Err() == nil; n++ {
		t.think(ctx)
		whole := context.WithoutCancel(ctx)
		var err error
		switch n % 3 {
		case 0:
			_, err = t.Read(whole, db.Read{Queries: count})
		case 1:
			_, err = t.Read(whole, db.Read{Queries: count, Consistency: db.Strong})
		default:
			var a Answer
			a, err = t.Must(whole, http.StatusOK, http.MethodGet, "/rides/count", nil, "Consistency-Token", newest.Token)
			if err == nil && !a.Position().Covers(newest.Position()) {
				err = fmt.Errorf("a session went back from %s to %s", newest.Token, a.Token)
			}
			newest = a
		}
		l.Count(err)
	}
}

// allRides reads all rides, a page at a time.
func allRides(ctx context.Context, t *Target) (rows []db.Row, err error) {
	for last := int64(0); ; last = rows[len(rows)-1].Int("ride_id") {
		result, err := t.Read(ctx, db.Read{
			Queries: []db.Query{{
				Table: "rides", Where: []db.Condition{db.Where("ride_id", db.Gt, last)},
				OrderBy: []db.Order{{Column: "ride_id"}}, Limit: 10 * db.Page,
			}},
			Consistency: db.Strong,
		})
		if err != nil {
			return nil, err
		}
		page := result.Results[0].Rows
		if rows = append(rows, page...); len(page) < 10*db.Page {
			return rows, nil
		}
	}
}

// Audit compares the ledger with the database: every acknowledged ride is there once, under its
// number, and nothing else is, but for what failed requests may have left, where that is
// admitted. It returns what is wrong.
func (l *Ledger) Audit(ctx context.Context, t *Target, admitUnknown bool) []string {
	rows, err := allRides(ctx, t)
	if err != nil {
		return []string{err.Error()}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var faults []string
	there := map[key]int64{}
	for _, row := range rows {
		k := key{row.Text("created_by"), row.Time("departs_at").Unix()}
		if other, twice := there[k]; twice {
			faults = append(faults, fmt.Sprintf("doubled: %v is ride %d and ride %d", k, other, row.Int("ride_id")))
		}
		there[k] = row.Int("ride_id")
		if _, acked := l.rides[k]; !acked && !admitUnknown {
			faults = append(faults, fmt.Sprintf("ride %d (%v) was not acknowledged to anybody", row.Int("ride_id"), k))
		}
	}
	for k, id := range l.rides {
		if there[k] != id {
			faults = append(faults, fmt.Sprintf("lost: %v was acknowledged as ride %d, and is %d", k, id, there[k]))
		}
	}
	slices.SortFunc(faults, cmp.Compare)
	return faults
}
