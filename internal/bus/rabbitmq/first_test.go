package rabbitmq_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
)

// pair is a caller and a worker that have found out that both know the first queue.
type pair struct {
	*testing.T
	rabbitmq.Options
	broker         amqptest.Broker
	caller, worker *rabbitmq.Bus
}

func acquainted(t *testing.T, broker amqptest.Broker) pair {
	o := at(t, broker)
	o.Gather = 1 // so that messages can be counted for requests
	p := pair{t, o, broker, newBus(t, o), newBus(t, o)}
	c := p.consume(p.worker)
	go func() {
		for d := range c.Deliveries() {
			_, _ = d.Reply(context.Background(), d.Body), d.Ack()
		}
	}()
	for n := 0; !p.caller.UsesFirst(); n++ {
		mustCall(t, p.caller, bus.Writes, fmt.Sprint("hello ", n))
	}
	c.Close()
	return p
}

func (p pair) consume(b *rabbitmq.Bus) bus.Consumer {
	p.Helper()
	c, err := b.Consume(p.Context(), bus.Writes, bus.ConsumeOptions{Prefetch: 3})
	if err != nil {
		p.Fatal(err)
	}
	return c
}

func (p pair) receive(c bus.Consumer) bus.Delivery {
	p.Helper()
	select {
	case d := <-c.Deliveries():
		return d
	case <-time.After(patience):
		p.Fatal("nothing was delivered")
		return bus.Delivery{}
	}
}

// publish calls until the test ends.
func (p pair) publish(ids ...string) {
	for _, id := range ids {
		r := bus.Request{ID: id, Body: []byte("body of " + id), Digest: "digest-of-" + id, Trace: "trace of " + id}
		go func() { _, _ = p.caller.Call(p.Context(), bus.Writes, r) }()
	}
}

// waits waits until as many messages wait in a queue.
func (p pair) waits(queue string, want int) {
	p.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) { // the broker has to be asked
		n := p.broker.Messages(p.T, p.Prefix+queue)
		if n == want {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("%d messages wait in %s, want %d", n, queue, want)
		}
	}
}

func waitInMemory(t *testing.T, broker amqptest.Broker) {
	p := acquainted(t, broker)
	p.publish("1", "2", "3")
	p.waits("writes.first", 3)
	p.waits("writes", 0)
	if found, err := p.caller.Inspect(t.Context(), bus.Writes); err != nil || found.Waiting != 3 {
		t.Errorf("%d are said to wait: %v", found.Waiting, err)
	}
	c := p.consume(p.worker)
	for range 3 {
		if d := p.receive(c); d.Redelivered {
			t.Errorf("%s is marked as redelivered", d.ID)
		}
	}
	c.Close()
	p.waits("writes.first", 3)
	c = p.consume(newBus(t, p.Options))
	for range 3 {
		d := p.receive(c)
		if !d.Redelivered || string(d.Body) != "body of "+d.ID || d.Digest != "digest-of-"+d.ID || d.Trace != "trace of "+d.ID || d.Published.IsZero() {
			t.Errorf("redelivered %+v", d)
		}
		p.waits("writes.first", 0) // they come by the queue that counts
		if err := d.Ack(); err != nil {
			t.Error(err)
		}
	}
	c.Close()
	p.waits("writes", 0)
}

// serveAsBefore serves writes as a worker does that does not know the first queue.
func (p pair) serveAsBefore() *server {
	earlier := p.Options
	earlier.Replicated, earlier.Queues = true, []bus.Queue{bus.Writes}
	return serve(p.T, newBus(p.T, earlier), bus.Writes)
}

// earlierWorker: it says nothing of the first queue, so a caller does not use that, although it is there.
func earlierWorker(t *testing.T, broker amqptest.Broker) {
	p := acquainted(t, broker)
	p.serveAsBefore()
	caller := newBus(t, p.Options)
	for n := range 10 {
		mustCall(t, caller, bus.Writes, fmt.Sprint(n))
	}
	if caller.UsesFirst() {
		t.Error("the caller publishes where nobody consumes")
	}
}

// earlierFollows: what waits in the first queue, where nobody consumes any more, is moved to where an earlier worker
// looks.
func earlierFollows(t *testing.T, broker amqptest.Broker) {
	p := acquainted(t, broker)
	p.publish("waits")
	p.waits("writes.first", 1)
	s := p.serveAsBefore()
	mustCall(t, p.caller, bus.Writes, "another")
	p.waits("writes.first", 0)
	p.waits("writes", 0)
	if !s.has("waits") {
		t.Error("a write was lost")
	}
}

// countingQueueDeleted: the worker declares it again, and the caller binds it when it next looks.
func countingQueueDeleted(t *testing.T, broker amqptest.Broker) {
	p := acquainted(t, broker)
	broker.Delete(t, p.Prefix+"writes")
	p.consume(newBus(t, p.Options)).Close()
	if _, err := p.caller.Inspect(t.Context(), bus.Writes); err != nil {
		t.Fatal(err)
	}
	p.publish("1")
	c := p.consume(p.worker)
	p.receive(c)
	c.Close()
	c = p.consume(newBus(t, p.Options))
	if d := p.receive(c); d.ID != "1" || !d.Redelivered {
		t.Errorf("delivered %+v", d)
	}
	c.Close()
}
