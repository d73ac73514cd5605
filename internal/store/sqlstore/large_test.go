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
		const takes, callers = time.Second, waitingLarge + 4
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
		for i := range waitingLarge + 1 {
			if err := <-ends; err != nil {
				t.Error(err)
			}
			if want := time.Duration(i) * (restAfterLarge + 1) * takes; at[i] != want {
				t.Errorf("the %dth ran after %v, want %v", i, at[i], want)
			}
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
