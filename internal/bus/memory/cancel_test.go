package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"rideshare/internal/bus"
	"rideshare/internal/bus/memory"
)

// A broker over a network does not learn that a caller has stopped waiting before its deadline;
// this one does, and spares the consumers the work.
func TestReadLeavesWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := memory.NewBroker(memory.Options{Reads: 1})
		worker, caller := broker.Connect(), broker.Connect()
		prefetchOne := func() bus.Consumer {
			s, err := worker.Consume(t.Context(), bus.Reads, bus.ConsumeOptions{Prefetch: 1})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		// leave stops waiting for an answer after while has run.
		leave := func(id string, while func()) {
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error)
			go func() {
				_, err := caller.Call(ctx, bus.Reads, bus.Request{ID: id})
				result <- err
			}()
			synctest.Wait()
			while()
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Fatalf("call %s returned %v", id, err)
			}
		}

		leave("waiting", func() {})
		leave("again", func() {}) // there was room for it: the queue takes one
		s := prefetchOne()
		leave("held", func() { <-s.Deliveries() })
		s.Close()
		if n := len(prefetchOne().Deliveries()); n != 0 {
			t.Errorf("%d deliveries for callers that have left", n)
		}
	})
}
