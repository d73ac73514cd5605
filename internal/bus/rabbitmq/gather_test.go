package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
)

// gathering is a bus whose calls wait for a broker that confirms nothing, so that they gather.
type gathering struct {
	*testing.T
	caller *rabbitmq.Bus
	other  *rabbitmq.Bus // to take messages through
	calls  sync.WaitGroup
	ends   map[string]chan error
}

// digests are those of the calls, in turn.
var digests = [...]string{"d1", "", "d2"}

// gather makes n calls at once, the first two of which go alone.
func gather(t *testing.T, broker amqptest.Broker, q bus.Queue, n int, limit func(i int) time.Duration) *gathering {
	o := at(t, broker)
	o.Broker.Heartbeat = noHeartbeat // so that nobody takes the wait for an end
	proxy := amqptest.NewProxy(t, broker.Addr())
	through := o
	through.Broker.URL = broker.Via(proxy.Addr())
	g := &gathering{T: t, caller: newBus(t, through), other: newBus(t, o), ends: map[string]chan error{}}
	if err := g.caller.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.Stall(amqptest.ToClient, true)
	for i := range n {
		id := fmt.Sprint(i)
		end := make(chan error, 1)
		g.ends[id] = end
		g.calls.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), limit(i))
			defer cancel()
			body, err := g.caller.Call(ctx, q, bus.Request{ID: id, Body: []byte("body of " + id), Trace: "trace of " + id, Digest: digests[i%len(digests)]})
			if err == nil && string(body) != "reply to "+id {
				err = errors.New(string(body))
			}
			end <- err
		})
		g.until("the call waits", func() bool { return g.caller.Gathered(q) == max(0, i-1) })
	}
	proxy.Stall(amqptest.ToClient, false)
	g.until("everything is in the queue", func() bool { return g.caller.Gathered(q) == 0 })
	t.Cleanup(g.calls.Wait)
	return g
}

func (g *gathering) until(what string, is func() bool) {
	g.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			g.Fatalf("not so: %s", what)
		}
	}
}

func (g *gathering) waiting(q bus.Queue, want int) {
	g.Helper()
	g.until(fmt.Sprint(want, " messages wait"), func() bool {
		stats, err := g.other.Inspect(g.Context(), q)
		if err != nil {
			g.Fatal(err)
		}
		return stats.Waiting == want
	})
}

func (g *gathering) consume(q bus.Queue, prefetch int) bus.Consumer {
	g.Helper()
	c, err := g.other.Consume(g.Context(), q, bus.ConsumeOptions{Prefetch: prefetch})
	if err != nil {
		g.Fatal(err)
	}
	return c
}

// receive receives n deliveries, by id.
func (g *gathering) receive(c bus.Consumer, n int) map[string]bus.Delivery {
	g.Helper()
	got := map[string]bus.Delivery{}
	for range n {
		select {
		case d := <-c.Deliveries():
			i, _ := strconv.Atoi(d.ID)
			if string(d.Body) != "body of "+d.ID || d.Digest != digests[i%len(digests)] || d.Trace != "trace of "+d.ID || d.Expires.IsZero() || d.Published.IsZero() {
				g.Fatalf("delivered %+v", d)
			}
			got[d.ID] = d
		case <-time.After(patience):
			g.Fatalf("%d deliveries, want %d", len(got), n)
		}
	}
	if len(got) != n {
		g.Fatalf("%d requests in %d deliveries", len(got), n)
	}
	return got
}

func (g *gathering) reply(d bus.Delivery) {
	g.Helper()
	if err := d.Reply(g.Context(), []byte("reply to "+d.ID)); err != nil {
		g.Fatal(err)
	}
}

func (g *gathering) answer(deliveries map[string]bus.Delivery) {
	g.Helper()
	for _, d := range deliveries {
		g.reply(d)
		if err := d.Ack(); err != nil {
			g.Fatal(err)
		}
	}
}

// ended checks that the calls with these ids have ended without an error.
func (g *gathering) ended(ids map[string]bus.Delivery) {
	g.Helper()
	for id := range ids {
		select {
		case err := <-g.ends[id]:
			if err != nil {
				g.Fatalf("call %s: %v", id, err)
			}
		case <-time.After(patience):
			g.Fatalf("call %s does not end", id)
		}
	}
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// together: 100 calls are two messages of one and two of up to 64, and each gets its own reply.
func together(t *testing.T, broker amqptest.Broker) {
	for _, q := range []bus.Queue{bus.Writes, bus.Reads} {
		g := gather(t, broker, q, 100, always(patience))
		g.waiting(q, 4)
		c := g.consume(q, 4) // messages, of more requests
		all := g.receive(c, 100)
		g.answer(all)
		g.ended(all)
		c.Close()
		g.waiting(q, 0)
	}
}

// oneIsSlow: a request that is not answered holds up neither the answers to those it came with, nor
// what is acknowledged of other messages.
func oneIsSlow(t *testing.T, broker amqptest.Broker) {
	g := gather(t, broker, bus.Writes, 10, always(patience))
	g.waiting(bus.Writes, 3)
	c := g.consume(bus.Writes, 3)
	all := g.receive(c, 10)
	slow := all["5"]
	delete(all, "5")
	g.answer(all)
	g.ended(all)
	last := map[string]bus.Delivery{"5": slow}
	g.answer(last)
	g.ended(last)
	c.Close()
	g.waiting(bus.Writes, 0)
}

// comesAgain: a message of which a request is not acknowledged comes again as a whole.
func comesAgain(t *testing.T, broker amqptest.Broker) {
	g := gather(t, broker, bus.Writes, 10, always(patience))
	c := g.consume(bus.Writes, 3)
	all := g.receive(c, 10)
	held := all["5"]
	delete(all, "5")
	g.answer(all)
	g.ended(all)
	c.Close()
	if held.Ack() == nil {
		t.Error("acknowledged after Close")
	}
	g.waiting(bus.Writes, 1)
	next := g.consume(bus.Writes, 3)
	again := g.receive(next, 8)
	for id, d := range again {
		if !d.Redelivered {
			t.Errorf("%s is not marked as redelivered", id)
		}
	}
	g.answer(again)
	g.ended(map[string]bus.Delivery{"5": held})
	next.Close()
	g.waiting(bus.Writes, 0)
}

// halfReceived: what a cancelled consumer has received a part of goes back, and its deliveries are
// stale; who waits for their answers gets them all the same.
func halfReceived(t *testing.T, broker amqptest.Broker) {
	g := gather(t, broker, bus.Writes, 10, always(patience))
	c := g.consume(bus.Writes, 3)
	received := g.receive(c, 4) // two that came alone, and two of eight
	c.Cancel()
	stale := 0
	for _, d := range received {
		g.reply(d)
		if d.Ack() != nil {
			stale++
		}
	}
	if stale != 2 {
		t.Errorf("%d deliveries of a message that went back are stale, want 2", stale)
	}
	next := g.consume(bus.Writes, 3)
	again := g.receive(next, 8)
	g.answer(again)
	g.ended(again)
	c.Close()
	next.Close()
	g.waiting(bus.Writes, 0)
}

// expiresAlone: of reads that came together, those go whose callers do.
func expiresAlone(t *testing.T, broker amqptest.Broker) {
	brief := func(i int) time.Duration {
		if i%2 == 0 {
			return time.Second
		}
		return patience
	}
	g := gather(t, broker, bus.Reads, 10, brief)
	for i := 0; i < 10; i += 2 {
		if err := <-g.ends[fmt.Sprint(i)]; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	c := g.consume(bus.Reads, 3)
	rest := g.receive(c, 5)
	g.answer(rest)
	g.ended(rest)
	c.Close()
	g.waiting(bus.Reads, 0)
}
