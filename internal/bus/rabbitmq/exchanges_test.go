package rabbitmq_test

import (
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
)

// exchangeDeleted: the broker closes the channel of whoever publishes to an exchange that is gone,
// and the next session declares it.
func exchangeDeleted(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	caller := newBus(t, o)
	s := serve(t, newBus(t, o), bus.Writes)
	mustCall(t, caller, bus.Writes, "before")
	deleteExchange(t, broker, o.Prefix+"writes.requests")
	mustCall(t, caller, bus.Writes, "without requests")

	deleteExchange(t, broker, o.Prefix+"writes.replies")
	// With the exchange went the binding of the caller's queue.
	if e := call(t, caller, bus.Writes, "without replies", time.Second); !expired(e.err) {
		t.Errorf("a call that cannot be answered: %v", e.err)
	}
	wait(t, s.ended, patience, "the end of the subscription")
	mustCall(t, newBus(t, o), bus.Writes, "after")
}

func deleteExchange(t *testing.T, broker amqptest.Broker, name string) {
	broker.Do(t, func(ch *amqp091.Channel) error { return ch.ExchangeDelete(name, false, false) })
}

// onlySome: a program has nothing to do with queues that it was not configured for.
func onlySome(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	o.Queues = []bus.Queue{bus.Control}
	b := newBus(t, o)
	serve(t, b, bus.Control)
	mustCall(t, b, bus.Control, "served")
	if _, err := b.Call(t.Context(), bus.Writes, bus.Request{ID: "w"}); err == nil {
		t.Error("a call to another queue succeeded")
	}
	if _, err := b.Consume(t.Context(), bus.Reads, bus.ConsumeOptions{Prefetch: 1}); err == nil {
		t.Error("another queue can be consumed")
	}
	o.Queues = []bus.Queue{"unknown"}
	if _, err := rabbitmq.New(o); err == nil {
		t.Error("a queue that nobody knows was taken")
	}
}
