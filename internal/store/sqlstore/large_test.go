package sqlstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/store"
)

// TestTurns: large reads run one at a time, with a rest in between, and few of them wait.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes, callers = longestRest / (2 * restAfterLarge), waitingLarge + 4
		turns, begun := newTurns(), time.Now()
		var at []time.Duration
		ends := make(chan error, callers)
		for range callers {
			go func() {
				ends <- turns.do(t.Context(), func() error {
					at = append(at, time.Since(begun)) // only one at a time, or the race detector tells
					time.Sleep(takes)
					return nil
				})
			}()
		}
		synctest.Wait()
		if refused := len(ends); refused != callers-(waitingLarge+1) {
			t.Errorf("%d were refused at once", refused)
		}
		for range len(ends) {
			if err := <-ends; !errors.Is(err, store.ErrBusy) {
				t.Error(err)
			}
		}
		for range waitingLarge + 1 {
			if err := <-ends; err != nil {
				t.Error(err)
			}
		}
		for i := range at {
			if want := time.Duration(i) * (restAfterLarge + 1) * takes; at[i] != want {
				t.Errorf("the %dth ran after %v, want %v", i, at[i], want)
			}
		}
	})
}

// TestRest: however long a large read took, the next one need not wait for its own deadline.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		long := func() error { time.Sleep(time.Hour); return nil }
		if err := turns.do(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		ended := time.Now()
		if err := turns.do(t.Context(), func() error { return nil }); err != nil || time.Since(ended) != longestRest {
			t.Errorf("the next one began after %v: %v", time.Since(ended), err)
		}
	})
}

// TestTurnsEndWithTheCaller: who does not wait any more leaves its place to another.
func TestTurnsEndWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, long := newTurns(), make(chan struct{})
		go func() { _ = turns.do(t.Context(), func() error { <-long; return nil }) }()
		synctest.Wait()
		for range 3 * waitingLarge {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := turns.do(ctx, func() error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		close(long)
		if err := turns.do(t.Context(), func() error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
