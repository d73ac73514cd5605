package rabbitmq_test

import (
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
)

// twoNodes returns a bus that takes two proxies for the nodes of a cluster, and is connected to the first
// of them. The options are of a bus that reaches the same queues without.
func twoNodes(t *testing.T, broker amqptest.Broker, connect func(*rabbitmq.Bus)) (first *amqptest.Proxy, direct rabbitmq.Options) {
	t.Helper()
	direct = at(t, broker)
	first = amqptest.NewProxy(t, broker.Addr())
	second := amqptest.NewProxy(t, broker.Addr())
	through := direct
	through.Broker.URL = broker.Via(first.Addr(), second.Addr())
	second.SetUp(false)
	connect(newBus(t, through))
	second.SetUp(true)
	return first, direct
}

// unconfirmed never confirms a write, on a connection that lives: it goes by the other node.
func unconfirmed(t *testing.T, broker amqptest.Broker) {
	var caller *rabbitmq.Bus
	first, direct := twoNodes(t, broker, func(b *rabbitmq.Bus) {
		caller = b
		if err := b.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	serve(t, newBus(t, direct), bus.Writes)
	mustCall(t, caller, bus.Writes, "before")
	first.Mute(true)
	// The window of messages that are not confirmed fills, and what waits behind them goes, too.
	stop := make(chan struct{})
	ends := drive(t, caller, 10*time.Second, stop)
	mustCall(t, caller, bus.Writes, "while the node confirms nothing")
	close(stop)
	for _, e := range ends() {
		if e.err != nil {
			t.Errorf("call %s after %v: %v", e.id, e.took, e.err)
		}
	}
	first.Mute(false)
}

// deliveryLost loses a delivery, on a connection that lives: the subscription is renewed.
func deliveryLost(t *testing.T, broker amqptest.Broker) {
	var s *server
	first, direct := twoNodes(t, broker, func(b *rabbitmq.Bus) {
		s = serve(t, b, bus.Writes)
		if err := b.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	caller := newBus(t, direct)
	mustCall(t, caller, bus.Writes, "before")
	loseOne(t, first, caller, bus.Writes)
	if len(s.ended) > 0 {
		t.Error("the subscription ended")
	}
}

// replyDropped loses a reply, on a connection that lives: the call is published again.
func replyDropped(t *testing.T, broker amqptest.Broker) {
	var caller *rabbitmq.Bus
	first, direct := twoNodes(t, broker, func(b *rabbitmq.Bus) {
		caller = b
		if err := b.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	serve(t, newBus(t, direct), bus.Reads)
	mustCall(t, caller, bus.Reads, "before")
	loseOne(t, first, caller, bus.Reads)
}

// loseOne calls, loses the first message that the node sends, and waits for the reply.
func loseOne(t *testing.T, node *amqptest.Proxy, caller *rabbitmq.Bus, q bus.Queue) {
	t.Helper()
	node.Mute(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if e := call(t, caller, q, "lost", 25*time.Second); e.err != nil {
			t.Errorf("a call of which a message was lost: %v", e.err)
		}
	}()
	for begun := time.Now(); node.Dropped() == 0; {
		select {
		case <-time.After(time.Millisecond):
		case <-done:
			t.Fatal("it was answered, and nothing was lost")
		}
		if time.Since(begun) > patience {
			t.Fatal("nothing was lost")
		}
	}
	node.Mute(false)
	wait(t, done, 25*time.Second, "the reply")
}
