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
		go func() { _, _ = p.caller.Call(p.Context(), bus.Writes, bus.Request{ID: id}) }()
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

// settles waits until the write is in one of its queues.
func (p pair) settles() {
	p.Helper()
	for end := time.Now().Add(patience); p.broker.Messages(p.T, p.Prefix+"writes")+p.broker.Messages(p.T, p.Prefix+"writes.dead") == 0; {
		if time.Now().After(end) {
			p.Fatal("the write is nowhere")
		}
		time.Sleep(10 * time.Millisecond) // the broker has to be asked
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
		if !d.Redelivered {
			t.Errorf("%s is not marked as redelivered", d.ID)
		}
		p.waits("writes.first", 0) // they come by the queue that counts
		if err := d.Ack(); err != nil {
			t.Error(err)
		}
	}
	c.Close()
	p.waits("writes", 0)
}

// poisoned: RabbitMQ 4.3 counts the delivery that moves the write to the queue that counts, others do not.
func poisoned(t *testing.T, broker amqptest.Broker) {
	p := acquainted(t, broker)
	p.publish("poison")
	deliveries := 0
	for ; broker.Messages(t, p.Prefix+"writes.dead") == 0; deliveries++ {
		c := p.consume(p.worker)
		select {
		case d := <-c.Deliveries():
			if d.Redelivered != (deliveries > 0) {
				t.Fatalf("delivery %d is marked redelivered: %v", deliveries+1, d.Redelivered)
			}
		case <-time.After(patience):
			t.Fatalf("there is no dead letter, and no delivery after %d", deliveries)
		}
		c.Close()
		if deliveries >= bus.DeliveryLimit-2 {
			p.settles()
		}
	}
	if deliveries < bus.DeliveryLimit-1 || deliveries > bus.DeliveryLimit+1 {
		t.Errorf("%d deliveries, want about %d", deliveries, bus.DeliveryLimit)
	}
	p.waits("writes.dead", 1)
}

// earlierWorker: one that does not consume the first queue says nothing of it in its replies.
func earlierWorker(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	earlier := o
	earlier.Replicated, earlier.Queues = true, []bus.Queue{bus.Writes}
	serve(t, newBus(t, earlier), bus.Writes)
	caller := newBus(t, o)
	for n := range 10 {
		mustCall(t, caller, bus.Writes, fmt.Sprint(n))
	}
	if caller.UsesFirst() {
		t.Error("the caller publishes where nobody consumes")
	}
}
