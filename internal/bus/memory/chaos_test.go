package memory_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/bus/memory"
)

// TestEveryCallIsAnswered lets workers come and go in each possible way while many call: every
// call is answered, with its own reply, and no message can be acknowledged twice.
func TestEveryCallIsAnswered(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	broker := memory.NewBroker(memory.Options{})
	var acked sync.Map
	var callers, workers sync.WaitGroup
	done := make(chan struct{})
	for w := range 4 {
		workers.Go(func() {
			for life := w; ; life++ {
				select {
				case <-done:
					return
				default:
					serve(t, broker.Connect(), life, &acked)
				}
			}
		})
	}
	for i := range 8 {
		c := broker.Connect()
		callers.Go(func() {
			for n := range 500 {
				id := fmt.Sprintf("%d.%d", i, n)
				body, err := c.Call(ctx, bus.Writes, bus.Request{ID: id, Body: []byte(id)})
				if err != nil || string(body) != id {
					t.Errorf("call %s returned %q, %v", id, body, err)
					return
				}
			}
		})
	}
	callers.Wait()
	close(done)
	workers.Wait()
	if n := len(broker.DeadLetters()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// serve is the life of one worker: it answers some requests, or finds none, and goes.
func serve(t *testing.T, c *memory.Conn, life int, acked *sync.Map) {
	s, err := c.Consume(t.Context(), bus.Writes, bus.ConsumeOptions{Prefetch: 1 + life%5, Priority: life % 2})
	if err != nil {
		t.Error(err)
		return
	}
	leave := time.AfterFunc(time.Millisecond, []func(){s.Cancel, s.Close, c.Kill}[life%3])
	defer leave.Stop()
	for d := range s.Deliveries() {
		if d.Reply(t.Context(), d.Body) != nil || d.Ack() != nil {
			continue // gone meanwhile
		}
		if _, again := acked.LoadOrStore(d.ID, true); again {
			t.Errorf("%s was acknowledged twice", d.ID)
		}
	}
	c.Kill()
}
