package bustest

import (
	"context"
	"errors"

	"rideshare/internal/bus"
)

func endings() []scenario {
	return []scenario{
		{"a closed bus does nothing any more", closed},
		{"an outage interrupts waiting calls but does not end them", outage},
		{"what was delivered before an outage is delivered again", outageRedelivers},
	}
}

func closed(k *kit) {
	b, other := k.connect(), k.connect()
	c := k.consume(b, bus.Writes, 2, 0)
	waiting := k.start(b, bus.Reads, bus.Request{ID: "r"})
	k.publish(other, bus.Writes, "1", "2")
	held := k.expect(c, "1")[0]
	k.must(b.Close())
	k.must(b.Close())

	waiting.fails(bus.ErrClosed)
	k.ended(c)
	if err := held.Ack(); !errors.Is(err, bus.ErrClosed) {
		k.Errorf("Ack after Close returned %v", err)
	}
	if err := held.Reply(k.Context(), nil); !errors.Is(err, bus.ErrClosed) {
		k.Errorf("Reply after Close returned %v", err)
	}
	c.Cancel()
	c.Close()
	k.start(b, bus.Writes, bus.Request{ID: "a"}).fails(bus.ErrClosed)
	if _, err := b.Consume(k.Context(), bus.Writes, bus.ConsumeOptions{Prefetch: 1}); !errors.Is(err, bus.ErrClosed) {
		k.Errorf("Consume after Close returned %v", err)
	}
	if _, err := b.Inspect(k.Context(), bus.Writes); !errors.Is(err, bus.ErrClosed) {
		k.Errorf("Inspect after Close returned %v", err)
	}
	k.expect(k.consume(other, bus.Writes, 2, 0), "1", "2")
}

func outage(k *kit) {
	k.need(k.SetAvailable != nil, "way to stop the broker")
	caller, worker := k.connect(), k.connect()
	c := k.consume(worker, bus.Control, 1, 0)
	write := k.start(caller, bus.Writes, bus.Request{ID: "w", Body: []byte("write")})
	read := k.start(caller, bus.Reads, bus.Request{ID: "r", Body: []byte("read")})
	brief := k.startUntil(k.brief(), caller, bus.Reads, bus.Request{ID: "b"})
	k.settle()
	k.SetAvailable(false)

	k.ended(c)
	brief.fails(context.DeadlineExceeded)
	// A bus may wait for the broker to come back, but not beyond the deadline.
	refused := k.startUntil(k.brief(), caller, bus.Writes, bus.Request{ID: "n"})
	refused.wait()
	if !errors.Is(refused.err, bus.ErrUnavailable) && !errors.Is(refused.err, context.DeadlineExceeded) {
		k.Errorf("a call without a broker returned %v", refused.err)
	}

	k.SetAvailable(true)
	for _, q := range []bus.Queue{bus.Writes, bus.Reads} {
		c := k.consume(worker, q, 1, 0)
		go echo(c)
	}
	write.gets("write")
	read.gets("read")
}

func outageRedelivers(k *kit) {
	k.need(k.SetAvailable != nil, "way to stop the broker")
	caller, worker := k.connect(), k.connect()
	c := k.consume(worker, bus.Writes, 2, 0)
	call := k.start(caller, bus.Writes, bus.Request{ID: "w", Body: []byte("reply")})
	held := k.expect(c, "w")[0]
	k.SetAvailable(false)
	k.ended(c)
	if held.Ack() == nil {
		k.Error("acknowledged without a broker")
	}
	k.SetAvailable(true)
	if held.Ack() == nil {
		k.Error("acknowledged by a subscription from before the outage")
	}
	c = k.consume(worker, bus.Writes, 2, 0)
	for again := false; !again; {
		d := k.expect(c, "w")[0]
		k.answer(d, "reply")
		if again = d.Redelivered; !again && !k.features.LooseReturns {
			k.Fatal("not marked as redelivered")
		} // else the caller has published again, and that has come first
	}
	go echo(c) // the caller may have lost its way to get replies, and published again
	call.gets("reply")
}
