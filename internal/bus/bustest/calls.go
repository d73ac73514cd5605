package bustest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"rideshare/internal/bus"
)

func calls() []scenario {
	return []scenario{
		{"a request is carried and answered, on every queue", carried},
		{"many calls in flight are answered in any order", manyInFlight},
		{"concurrent callers each get their own reply", concurrentCallers},
		{"bodies may be large or empty", bodies},
		{"buffers may be used again", buffers},
		{"a second reply is ignored", secondReply},
		{"a reply may come after the acknowledgement", replyAfterAck},
		{"a late reply is no error, and reaches no other call", lateReply},
		{"nonsense is refused", nonsense},
	}
}

func carried(k *kit) {
	for _, q := range []bus.Queue{bus.Writes, bus.Reads, bus.Control} {
		worker, caller := k.connect(), k.connect()
		c := k.consume(worker, q, 1, 0)
		deadline := time.Now().Add(patience)
		call := k.start(caller, q, bus.Request{ID: "id", Body: []byte("body"), Digest: "d1-g_t", Trace: "00-trace-01"})
		d := k.receive(c)
		if d.ID != "id" || string(d.Body) != "body" || d.Digest != "d1-g_t" || d.Trace != "00-trace-01" || d.Redelivered {
			k.Fatalf("%s delivered %+v", q, d)
		}
		if d.Expires.Before(deadline) && !d.Expires.IsZero() {
			k.Fatalf("%s: expires %v, but the caller waits without a deadline", q, d.Expires)
		}
		k.answer(d, "reply")
		call.gets("reply")
		k.silent(c)
		c.Close()
	}
}

func manyInFlight(k *kit) {
	const n = 200
	caller, c := k.connect(), k.consume(k.connect(), bus.Reads, n, 0)
	calls := map[string]*pending{}
	var held []bus.Delivery
	for i := range n {
		id := fmt.Sprint(i)
		calls[id] = k.start(caller, bus.Reads, bus.Request{ID: id})
	}
	for range n {
		held = append(held, k.receive(c))
	}
	for i := range held {
		d := held[n-1-i]
		k.answer(d, "reply to "+d.ID)
	}
	for id, call := range calls {
		call.gets("reply to " + id)
	}
}

func concurrentCallers(k *kit) {
	var workers, callers sync.WaitGroup
	var consumers []bus.Consumer
	for range 3 {
		c := k.consume(k.connect(), bus.Writes, 4, 0)
		consumers = append(consumers, c)
		workers.Go(func() { echo(c) })
	}
	for i := range 8 {
		b := k.connect()
		for j := range 4 {
			callers.Go(func() {
				for n := range 25 {
					id := fmt.Sprintf("%d.%d.%d", i, j, n)
					body, err := b.Call(k.Context(), bus.Writes, bus.Request{ID: id, Body: []byte(id)})
					if err != nil || string(body) != id {
						k.Errorf("call %s returned %q, %v", id, body, err)
						return
					}
				}
			})
		}
	}
	callers.Wait()
	for _, c := range consumers {
		c.Close()
	}
	workers.Wait()
}

func bodies(k *kit) {
	caller, c := k.connect(), k.consume(k.connect(), bus.Writes, 1, 0)
	for _, body := range []string{"", strings.Repeat("0123456789abcdef", 1<<16)} {
		call := k.start(caller, bus.Writes, bus.Request{ID: "a", Body: []byte(body)})
		d := k.receive(c)
		if string(d.Body) != body {
			k.Fatalf("delivered %d bytes, want the %d sent", len(d.Body), len(body))
		}
		k.answer(d, body)
		call.gets(body)
	}
}

func buffers(k *kit) {
	caller := k.connect()
	request, reply := []byte("request"), []byte("reply")
	left := k.startUntil(k.brief(), caller, bus.Writes, bus.Request{ID: "left", Body: request})
	left.wait()
	clear(request)
	call := k.start(caller, bus.Writes, bus.Request{ID: "a"})
	c := k.consume(k.connect(), bus.Writes, 2, 0)
	held := k.expect(c, "left", "a")
	if got := string(held[0].Body); got != "request" {
		k.Fatalf("delivered %q: the caller's buffer", got)
	}
	k.must(held[1].Reply(k.Context(), reply))
	clear(reply)
	call.gets("reply")
}
