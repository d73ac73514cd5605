package bustest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rideshare/internal/bus"
)

func limits() []scenario {
	return []scenario{
		{"reads and control requests expire with their caller", expire},
		{"an expired read is passed over", passedOver},
		{"an expired read is not delivered again", notAgain},
		{"writes outlive their caller", outlive},
		{"a full queue rejects", full},
	}
}

func expire(k *kit) {
	for _, q := range []bus.Queue{bus.Reads, bus.Control} {
		caller := k.connect()
		k.startUntil(k.brief(), caller, q, bus.Request{ID: "a"}).fails(context.DeadlineExceeded)
		c := k.consume(k.connect(), q, 1, 0)
		k.silent(c)
		k.publish(caller, q, "b")
		k.expect(c, "b")
	}
}

func passedOver(k *kit) {
	caller, c := k.connect(), k.consume(k.connect(), bus.Reads, 1, 0)
	k.publish(caller, bus.Reads, "1")
	busy := k.expect(c, "1")[0]
	expired := k.startUntil(k.brief(), caller, bus.Reads, bus.Request{ID: "2"})
	k.settle()
	k.publish(caller, bus.Reads, "3")
	expired.fails(context.DeadlineExceeded)
	k.must(busy.Ack())
	k.expect(c, "3")
}

func notAgain(k *kit) {
	c := k.consume(k.connect(), bus.Reads, 1, 0)
	call := k.startUntil(k.brief(), k.connect(), bus.Reads, bus.Request{ID: "a"})
	k.receive(c)
	call.fails(context.DeadlineExceeded)
	k.settle()
	c.Close()
	k.silent(k.consume(k.connect(), bus.Reads, 1, 0))
}

func outlive(k *kit) {
	caller := k.connect()
	k.startUntil(k.brief(), caller, bus.Writes, bus.Request{ID: "late"}).fails(context.DeadlineExceeded)
	ctx, cancel := context.WithCancel(k.Context())
	left := k.startUntil(ctx, caller, bus.Writes, bus.Request{ID: "cancelled"})
	observer := k.connect()
	k.inspects(observer, bus.Writes, bus.Stats{Waiting: 2})
	cancel()
	left.fails(context.Canceled)
	orphan := k.start(caller, bus.Writes, bus.Request{ID: "orphan"})
	k.inspects(observer, bus.Writes, bus.Stats{Waiting: 3})
	k.must(caller.Close())
	orphan.fails(bus.ErrClosed)

	c := k.consume(k.connect(), bus.Writes, 3, 0)
	for _, d := range k.expect(c, "late", "cancelled", "orphan") {
		k.answer(d, "to nobody")
	}
	k.silent(c)
}

func full(k *kit) {
	limit := k.features.ReadsLimit
	k.need(limit > 0, "limit that can be reached")
	loose := k.features.LooseLimit
	over := loose + 10
	caller := k.connect()
	var calls []*pending
	for i := range limit + over {
		calls = append(calls, k.start(caller, bus.Reads, bus.Request{ID: fmt.Sprint(i)}))
	}
	worker := k.connect()
	k.settled(worker, calls)
	go echo(k.consume(worker, bus.Reads, 1, 0))
	rejected := 0
	for _, call := range calls {
		call.wait()
		switch {
		case errors.Is(call.err, bus.ErrFull):
			rejected++
		case call.err != nil:
			k.Fatal(call.err)
		}
	}
	if rejected < over-loose || rejected > over {
		k.Errorf("%d of %d were rejected by a queue of %d", rejected, limit+over, limit)
	}
	call := k.start(caller, bus.Reads, bus.Request{ID: "after", Body: []byte("room again")})
	call.gets("room again")
}

// settled waits until each of the calls of reads is either rejected or in the queue.
func (k *kit) settled(b bus.Bus, calls []*pending) {
	k.Helper()
	n := 0
	for end := time.Now().Add(patience); n < len(calls); k.settle() {
		if time.Now().After(end) {
			k.Fatalf("%d of %d calls are rejected or wait", n, len(calls))
		}
		stats, err := b.Inspect(k.Context(), bus.Reads)
		k.must(err)
		n = stats.Waiting
		for _, call := range calls {
			select {
			case <-call.done:
				n++
			default:
			}
		}
	}
}
