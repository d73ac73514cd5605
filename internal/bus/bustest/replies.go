package bustest

import (
	"context"

	"rideshare/internal/bus"
)

func secondReply(k *kit) {
	caller, c := k.connect(), k.consume(k.connect(), bus.Writes, 1, 0)
	for range 2 { // the second call must not see the ignored reply to the first
		call := k.start(caller, bus.Writes, bus.Request{ID: "same"})
		d := k.receive(c)
		k.must(d.Reply(k.Context(), []byte("first")))
		k.must(d.Reply(k.Context(), []byte("second")))
		call.gets("first")
		k.must(d.Reply(k.Context(), []byte("third")))
		k.must(d.Ack())
	}
}

func replyAfterAck(k *kit) {
	caller, c := k.connect(), k.consume(k.connect(), bus.Writes, 1, 0)
	call := k.start(caller, bus.Writes, bus.Request{ID: "a"})
	d := k.receive(c)
	k.must(d.Ack())
	k.must(d.Ack())
	k.must(d.Reply(k.Context(), []byte("reply")))
	call.gets("reply")
	call = k.start(caller, bus.Writes, bus.Request{ID: "b"})
	k.answer(k.receive(c), "reply")
	call.gets("reply")
}

func lateReply(k *kit) {
	caller, c := k.connect(), k.consume(k.connect(), bus.Reads, 2, 0)
	ctx, cancel := context.WithCancel(k.Context())
	gone := k.startUntil(ctx, caller, bus.Reads, bus.Request{ID: "same"})
	late := k.receive(c)
	cancel()
	gone.fails(context.Canceled)
	call := k.start(caller, bus.Reads, bus.Request{ID: "same"})
	d := k.receive(c)
	k.answer(late, "late")
	k.answer(d, "in time")
	call.gets("in time")
}

func nonsense(k *kit) {
	b := k.connect()
	if _, err := b.Call(k.brief(), bus.Writes, bus.Request{}); err == nil || err == context.DeadlineExceeded {
		k.Errorf("a write without an id returned %v, want an error at once", err)
	}
	if _, err := b.Consume(k.Context(), bus.Writes, bus.ConsumeOptions{}); err == nil {
		k.Error("a consumer without prefetch was taken")
	}
	done, cancel := context.WithCancel(k.Context())
	cancel()
	if _, err := b.Call(done, bus.Writes, bus.Request{ID: "a"}); err != context.Canceled {
		k.Errorf("a call that was cancelled before it began returned %v", err)
	}
	k.silent(k.consume(b, bus.Writes, 1, 0))
}
