package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"rideshare/e2e/load"
)

const (
	outageWriters = 16
	// settled is how long there have to be acknowledgements after a kill until its outage is over.
	settled = time.Second
	// retryPause is how long a writer waits after a request that has failed.
	retryPause = 10 * time.Millisecond
)

// replicated is a system whose primary can be killed.
type replicated interface {
	killPrimary(ctx context.Context) (restore func() error, err error)
	create(ctx context.Context, ride map[string]any) (id int64, a load.Answer, err error)
}

// acknowledgements are when writes were acknowledged, and how many were not.
type acknowledgements struct {
	mu     sync.Mutex
	at     []time.Time
	failed int
}

func (a *acknowledgements) add(at time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.failed++
		return
	}
	a.at = append(a.at, at)
}

// after reports whether one came after that time.
func (a *acknowledgements) after(t time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.at, t.Before)
}

// longestGap returns the longest time between two acknowledgements of which the second came after
// since: who acknowledged them does not matter, and a failover that takes no time has none.
func (a *acknowledgements) longestGap(since time.Time) (longest time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortFunc(a.at, time.Time.Compare)
	for i := 1; i < len(a.at); i++ {
		if a.at[i].After(since) {
			longest = max(longest, a.at[i].Sub(a.at[i-1]))
		}
	}
	return longest
}

// outage kills the primary while clients write, and returns the longest time without an
// acknowledged write, and how many requests have failed.
func outage(ctx context.Context, r replicated) (took time.Duration, failed int, err error) {
	var acks acknowledgements
	writing, stop := context.WithCancel(ctx)
	var writers sync.WaitGroup
	for i := range outageWriters {
		writers.Go(func() { acks.write(writing, r, i) })
	}
	defer func() {
		stop()
		writers.Wait()
	}()
	begun := time.Now()
	if err := until(ctx, "writes are acknowledged", func() error { return acks.since(begun.Add(settled)) }); err != nil {
		return 0, 0, err
	}
	kill := time.Now()
	restore, err := r.killPrimary(ctx)
	if err != nil {
		return 0, 0, err
	}
	dead := time.Now()
	if err := until(ctx, "writes are acknowledged again", func() error { return acks.since(dead.Add(settled)) }); err != nil {
		return 0, 0, err
	}
	took = acks.longestGap(kill)
	stop()
	writers.Wait()
	return took, acks.failed, restore()
}

var errNone = errors.New("none has been")

func (a *acknowledgements) since(t time.Time) error {
	if a.after(t) {
		return nil
	}
	return errNone
}

// write offers rides one after the other until ctx ends. What is under way then is not counted.
func (a *acknowledgements) write(ctx context.Context, r replicated, writer int) {
	for n := writer; ctx.Err() == nil; n += outageWriters {
		_, _, err := r.create(ctx, offer(n))
		if ctx.Err() != nil {
			return
		}
		a.add(time.Now(), err)
		if err != nil {
			select {
			case <-time.After(retryPause):
			case <-ctx.Done():
			}
		}
	}
}
