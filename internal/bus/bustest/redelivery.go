package bustest

import (
	"context"

	"rideshare/internal/bus"
)

func redelivery() []scenario {
	return []scenario{
		{"what a closed consumer held is delivered again, in order", func(k *kit) {
			redelivered(k, func(_ bus.Bus, c bus.Consumer) { c.Close() })
		}},
		{"what a closed connection held is delivered again, in order", func(k *kit) {
			redelivered(k, func(b bus.Bus, _ bus.Consumer) { k.must(b.Close()) })
		}},
		{"what a dead process held is delivered again, in order", func(k *kit) {
			k.need(k.Kill != nil, "way to kill")
			redelivered(k, func(b bus.Bus, _ bus.Consumer) { k.kill(b) })
		}},
		{"a dead process takes nothing for its other consumers", noSiblings},
		{"a delivery that went back can not be acknowledged", staleAck},
		{"a message that kills its consumers becomes a dead letter", deadLetter},
	}
}

// redelivered ends a consumer that has received three of five messages and acknowledged one.
func redelivered(k *kit, end func(bus.Bus, bus.Consumer)) {
	caller, worker := k.connect(), k.connect()
	c := k.consume(worker, bus.Writes, 4, 0)
	calls := k.publish(caller, bus.Writes, "1", "2", "3", "4", "5")
	held := k.expect(c, "1", "2", "3")
	k.answer(held[1], "by the first")
	k.settle()

	end(worker, c)
	k.ended(c)
	calls = append(calls, k.publish(caller, bus.Writes, "6")...)

	next := k.consume(k.connect(), bus.Writes, 10, 0)
	for i, d := range k.expectReturned(next, "1", "3", "4", "5", "6") {
		if held := d.ID == "1" || d.ID == "3"; held && !d.Redelivered {
			k.Errorf("message %s is not marked as redelivered", d.ID)
		}
		if d.ID == "6" && d.Redelivered {
			k.Error("a new message is marked as redelivered")
		}
		if i%2 == 0 {
			k.must(d.Ack())
			k.must(d.Reply(k.Context(), []byte("by the second")))
		} else {
			k.answer(d, "by the second")
		}
	}
	k.silent(next)
	for i, call := range calls {
		if i == 1 {
			call.gets("by the first")
		} else {
			call.gets("by the second")
		}
	}
}

func noSiblings(k *kit) {
	k.need(k.Kill != nil, "way to kill")
	worker, other := k.connect(), k.connect()
	first := k.consume(worker, bus.Writes, 1, 1)
	second := k.consume(worker, bus.Writes, 1, 1)
	k.publish(k.connect(), bus.Writes, "1", "2", "3")
	third := k.consume(other, bus.Writes, 3, 0)
	k.expect(third, "3")
	k.kill(worker)
	k.ended(first)
	k.ended(second)
	k.receive(third)
	k.receive(third)
}

func staleAck(k *kit) {
	caller := k.connect()
	c := k.consume(k.connect(), bus.Writes, 1, 0)
	call := k.start(caller, bus.Writes, bus.Request{ID: "a"})
	stale := k.receive(c)
	c.Close()
	if stale.Ack() == nil {
		k.Fatal("a delivery that went back was acknowledged")
	}
	next := k.consume(k.connect(), bus.Writes, 1, 0)
	d := k.receive(next)
	if stale.Ack() == nil {
		k.Fatal("a delivery that another consumer holds was acknowledged")
	}
	k.answer(d, "reply")
	call.gets("reply")
	k.silent(next)
}

func deadLetter(k *kit) {
	k.need(k.DeadLetters != nil, "way to count dead letters")
	worker := k.connect()
	ctx, cancel := context.WithCancel(k.Context())
	call := k.startUntil(ctx, k.connect(), bus.Writes, bus.Request{ID: "poison"})
	least, most := bus.DeliveryLimit, bus.DeliveryLimit
	if k.features.LooseReturns {
		least, most = least-1, most+1
	}
	for n := 1; ; n++ {
		c := k.consume(worker, bus.Writes, 1, 0)
		d, delivered := k.receiveUnless(c, func() bool { return k.DeadLetters() > 0 })
		c.Close()
		switch {
		case !delivered && n > least:
			if dead := k.DeadLetters(); dead != 1 {
				k.Errorf("%d dead letters, want 1", dead)
			}
			cancel()
			call.fails(context.Canceled)
			return
		case !delivered:
			k.Fatalf("a dead letter after %d deliveries, want at least %d", n-1, least)
		case n > most:
			k.Fatalf("delivery %d, want at most %d", n, most)
		case d.Redelivered != (n > 1):
			k.Fatalf("delivery %d is marked redelivered: %v", n, d.Redelivered)
		}
	}
}
