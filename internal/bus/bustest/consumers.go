package bustest

import (
	"fmt"
	"sync"
	"time"

	"rideshare/internal/bus"
)

func consumers() []scenario {
	return []scenario{
		{"a consumer holds no more than its prefetch", prefetch},
		{"equal consumers share", share},
		{"lower priority gets what higher priority has no room for", priority},
		{"a cancelled consumer finishes what it received", cancelled},
		{"a cancelled consumer that is closed gives the rest back", cancelledThenClosed},
		{"a cancelled consumer of many receivers gives the rest back", cancelledAmongReceivers},
		{"consumers are counted", counted},
		{"what waits is counted", waiting},
	}
}

func prefetch(k *kit) {
	c := k.consume(k.connect(), bus.Writes, 3, 0)
	k.publish(k.connect(), bus.Writes, "1", "2", "3", "4", "5")
	held := k.expect(c, "1", "2", "3")
	k.silent(c)
	k.must(held[2].Reply(k.Context(), nil)) // a reply alone makes no room
	k.silent(c)
	k.must(held[2].Ack())
	k.must(held[2].Reply(k.Context(), nil))
	k.expect(c, "4")
	k.silent(c)
	k.must(held[0].Ack())
	k.expect(c, "5")
}

func share(k *kit) {
	a := k.consume(k.connect(), bus.Reads, 10, 0)
	b := k.consume(k.connect(), bus.Reads, 10, 0)
	k.publish(k.connect(), bus.Reads, "1", "2", "3", "4")
	for range 2 {
		k.receive(a)
		k.receive(b)
	}
	k.silent(a)
	k.silent(b)
}

func priority(k *kit) {
	caller := k.connect()
	master := k.consume(k.connect(), bus.Reads, 10, -1)
	k.publish(caller, bus.Reads, "1")
	k.expect(master, "1")
	slave := k.consume(k.connect(), bus.Reads, 2, 0)
	k.publish(caller, bus.Reads, "2", "3", "4")
	held := k.expect(slave, "2", "3")
	k.expect(master, "4")
	k.must(held[0].Ack())
	k.settle()
	k.publish(caller, bus.Reads, "5")
	k.expect(slave, "5")
	k.silent(master)
	slave.Close() // what it held goes to the one that is left
	k.expect(master, "3", "5")
}

func cancelled(k *kit) {
	c := k.consume(k.connect(), bus.Writes, 10, 0)
	next := k.consume(k.connect(), bus.Writes, 10, -1)
	calls := k.publish(k.connect(), bus.Writes, "1", "2", "3", "4")
	held := k.expect(c, "1", "2")
	c.Cancel()
	k.ended(c)
	c.Cancel() // again is harmless

	for _, d := range k.expect(next, "3", "4") {
		k.answer(d, "by the second")
	}
	for _, d := range held {
		k.answer(d, "by the first")
	}
	calls[0].gets("by the first")
	calls[1].gets("by the first")
	calls[2].gets("by the second")
	calls[3].gets("by the second")
	c.Close()
	k.silent(next)
}

// cancelledAmongReceivers: whoever receives at that moment keeps what it has, and the rest goes back.
func cancelledAmongReceivers(k *kit) {
	const messages, receivers = 60, 6
	caller, worker, other := k.connect(), k.connect(), k.connect()
	for range 5 {
		c := k.consume(worker, bus.Reads, messages, 0)
		var calls []*pending
		for i := range messages {
			calls = append(calls, k.start(caller, bus.Reads, bus.Request{ID: fmt.Sprint(i)}))
		}
		k.settle()
		received := make(chan bus.Delivery, messages)
		var receiving sync.WaitGroup
		for range receivers {
			receiving.Go(func() {
				for d := range c.Deliveries() {
					received <- d
				}
			})
		}
		c.Cancel()
		receiving.Wait()
		close(received)
		next := k.consume(other, bus.Reads, messages, 0)
		for range messages - len(received) {
			k.answer(k.receive(next), "by the second")
		}
		for d := range received {
			k.answer(d, "by the first")
		}
		for _, call := range calls {
			call.wait()
			k.must(call.err)
		}
		k.silent(next)
		next.Close()
		c.Close()
	}
}

func cancelledThenClosed(k *kit) {
	c := k.consume(k.connect(), bus.Writes, 10, 0)
	k.publish(k.connect(), bus.Writes, "1", "2", "3")
	held := k.expect(c, "1", "2")
	c.Cancel()
	k.must(held[0].Ack())
	c.Close()
	if held[1].Ack() == nil {
		k.Error("a delivery was acknowledged after Close")
	}
	next := k.consume(k.connect(), bus.Writes, 10, 0)
	k.expectReturned(next, "2", "3")
	k.silent(next)
}

// inspects waits until a queue has these figures: a broker may tell of a change a little later.
func (k *kit) inspects(b bus.Bus, q bus.Queue, want bus.Stats) {
	k.Helper()
	var got bus.Stats
	for end := time.Now().Add(patience); time.Now().Before(end); k.settle() {
		var err error
		got, err = b.Inspect(k.Context(), q)
		k.must(err)
		if got == want {
			return
		}
	}
	k.Fatalf("%s: %+v, want %+v", q, got, want)
}

func counted(k *kit) {
	observer, worker := k.connect(), k.connect()
	count := func(want int) {
		k.Helper()
		k.inspects(observer, bus.Reads, bus.Stats{Consumers: want})
	}
	count(0)
	a := k.consume(worker, bus.Reads, 1, 0)
	count(1)
	b := k.consume(worker, bus.Reads, 1, 0)
	k.consume(worker, bus.Writes, 1, 0)
	k.consume(worker, bus.Reads, 1, 0)
	count(3)
	a.Cancel()
	count(2)
	b.Close()
	count(1)
	k.must(worker.Close())
	count(0)
}

func waiting(k *kit) {
	observer, caller := k.connect(), k.connect()
	want := func(waiting, consumers int) {
		k.Helper()
		k.inspects(observer, bus.Writes, bus.Stats{Waiting: waiting, Consumers: consumers})
	}
	want(0, 0)
	k.publish(caller, bus.Writes, "1", "2", "3")
	want(3, 0)
	c := k.consume(k.connect(), bus.Writes, 2, 0)
	k.expect(c, "1", "2")
	want(1, 1) // what a consumer holds does not wait
	c.Close()
	want(3, 0)
}
