package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
	"rideshare/internal/stopwatch"
)

// proxied returns a bus that reaches the broker through a proxy, and the options of one that
// reaches the same queues without.
func proxied(t *testing.T, broker amqptest.Broker) (*rabbitmq.Bus, *amqptest.Proxy, rabbitmq.Options) {
	direct := at(t, broker)
	proxy := amqptest.NewProxy(t, broker.Addr())
	through := direct
	through.Broker.URL = broker.Via(proxy.Addr())
	return newBus(t, through), proxy, direct
}

// apart returns a bus each of whose two connections goes through a proxy of its own, and the options
// of one that reaches the same queues without.
func apart(t *testing.T, broker amqptest.Broker) (*rabbitmq.Bus, []*amqptest.Proxy, rabbitmq.Options) {
	direct := at(t, broker)
	proxies := []*amqptest.Proxy{amqptest.NewProxy(t, broker.Addr()), amqptest.NewProxy(t, broker.Addr())}
	var dials atomic.Int32
	through := direct
	through.Broker.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		to := proxies[dials.Add(1)%2].Addr()
		return new(net.Dialer).DialContext(ctx, network, to)
	}
	return newBus(t, through), proxies, direct
}

// halfConnected ends one of the two connections of a session while the other is not there yet. Which
// of them publishes is left to chance, so there are several rounds.
func halfConnected(t *testing.T, broker amqptest.Broker) {
	caller, proxies, direct := apart(t, broker)
	serve(t, newBus(t, direct), bus.Writes)
	for i := range 8 {
		there, missing := proxies[i%2], proxies[(i+1)%2]
		missing.Stall(amqptest.ToClient, true)
		there.Cut()
		missing.Cut()
		if e := call(t, caller, bus.Writes, fmt.Sprint("half ", i), 300*time.Millisecond); !expired(e.err) {
			t.Errorf("a call without a session: %v", e.err)
		}
		there.Cut()
		missing.Stall(amqptest.ToClient, false)
		mustCall(t, caller, bus.Writes, fmt.Sprint("whole ", i))
	}
}

func cutMidPublish(t *testing.T, broker amqptest.Broker) {
	caller, proxy, direct := proxied(t, broker)
	serve(t, newBus(t, direct), bus.Writes)
	large := strings.Repeat("x", 300_000)
	for i, at := range []int{1, 20, 300, 1_000, 5_000, 131_072, 200_000, 300_100} {
		mustCall(t, caller, bus.Writes, fmt.Sprint("before ", i))
		proxy.CutAfter(at)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		body, err := caller.Call(ctx, bus.Writes, bus.Request{ID: fmt.Sprint("cut ", i), Body: []byte(large)})
		cancel()
		if err != nil || string(body) != large {
			t.Fatalf("cut after %d bytes: %d bytes, %v", at, len(body), err)
		}
	}
}

// replyLost loses a reply, but not the acknowledgement that follows it: they go by different
// connections, so nobody but the worker that sent the reply can answer again.
func replyLost(t *testing.T, broker amqptest.Broker) {
	through, proxies, direct := apart(t, broker)
	caller := newBus(t, direct)
	s := serve(t, through, bus.Writes)
	lost := 0
	for i, proxy := range proxies {
		mustCall(t, caller, bus.Writes, fmt.Sprint("before ", i))
		proxy.Stall(amqptest.ToBroker, true)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if e := call(t, caller, bus.Writes, fmt.Sprint("cut ", i), patience); e.err != nil {
				t.Errorf("the call whose reply was lost: %v", e.err)
			}
		}()
		select {
		case <-ended: // this is the connection of the acknowledgements
		case <-time.After(300 * time.Millisecond):
			lost++
			proxy.Cut()
			wait(t, s.ended, patience, "the end of the subscription")
		}
		proxy.Stall(amqptest.ToBroker, false)
		wait(t, ended, 5*time.Second, "the reply")
	}
	if lost == 0 {
		t.Error("no reply was lost")
	}
}

// replyAhead has a reply sent before the caller's queue can be seen, as happens in a cluster.
func replyAhead(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	s := serve(t, newBus(t, o), bus.Reads)
	mustCall(t, newBus(t, o), bus.Reads, "before")
	broker.Do(t, func(ch *amqp091.Channel) error {
		late := o.Prefix + "late"
		err := ch.Publish("", o.Prefix+"reads", false, false, amqp091.Publishing{
			MessageId: "early", CorrelationId: "its call", ReplyTo: late, Body: []byte("its reply"),
		})
		if err != nil {
			return err
		}
		for end := time.Now().Add(patience); !s.has("early"); <-time.After(time.Millisecond) {
			if time.Now().After(end) {
				return errors.New("the request was not served")
			}
		}
		if _, err := ch.QueueDeclare(late, false, true, true, false, nil); err != nil {
			return err
		}
		if err := ch.QueueBind(late, late, o.Prefix+"reads.replies", false, nil); err != nil {
			return err
		}
		replies, err := ch.Consume(late, "", true, true, false, false, nil)
		if err != nil {
			return err
		}
		select {
		case r := <-replies:
			if r.CorrelationId != "its call" || string(r.Body) != "its reply" {
				t.Errorf("the reply is %q to %q", r.Body, r.CorrelationId)
			}
		case <-time.After(patience):
			t.Error("the reply has not come again")
		}
		return nil
	})
}

func stalled(t *testing.T, broker amqptest.Broker) {
	caller, proxy, direct := proxied(t, broker)
	serve(t, newBus(t, direct), bus.Writes)
	for _, d := range []amqptest.Direction{amqptest.ToBroker, amqptest.ToClient} {
		mustCall(t, caller, bus.Writes, fmt.Sprint("before ", d))
		proxy.Stall(d, true)
		e := call(t, caller, bus.Writes, fmt.Sprint("stalled ", d), time.Second)
		if !expired(e.err) {
			t.Errorf("a call without a network: %v", e.err)
		}
		flood(t, caller)
		proxy.Stall(d, false)
		mustCall(t, caller, bus.Writes, fmt.Sprint("after ", d))
	}
}

// flood makes calls that are larger than what the sockets take, and checks that they end in time.
func flood(t *testing.T, caller bus.Bus) {
	body := make([]byte, 500_000)
	var calls sync.WaitGroup
	for i := range 20 {
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			watch := stopwatch.Start()
			_, err := caller.Call(ctx, bus.Writes, bus.Request{ID: fmt.Sprint("flood ", i), Body: body})
			if took := watch.Took(); !expired(err) && err != nil || took > time.Second {
				t.Errorf("a large call without a network took %v: %v", took, err)
			}
		})
	}
	calls.Wait()
}

func deadAddress(t *testing.T, broker amqptest.Broker) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // nothing depends on it
	o := at(t, broker)
	serve(t, newBus(t, o), bus.Reads)
	o.Broker.DialTimeout = 200 * time.Millisecond
	o.Broker.URL = broker.Via(dead, silent.Addr().String(), broker.Addr())
	for i := range 5 { // the order is random
		b := newBus(t, o)
		mustCall(t, b, bus.Reads, fmt.Sprint(i))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func queueDeleted(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	caller := newBus(t, o)
	s := serve(t, newBus(t, o), bus.Writes)
	mustCall(t, caller, bus.Writes, "before")
	broker.Delete(t, o.Prefix+"writes")
	wait(t, s.ended, patience, "the end of the subscription")
	mustCall(t, caller, bus.Writes, "after")

	broker.Delete(t, o.Prefix+"reads")
	for end := time.Now().Add(patience); ; { // a worker declares it again
		c, err := caller.Consume(t.Context(), bus.Reads, bus.ConsumeOptions{Prefetch: 1})
		if err == nil {
			c.Close()
			break
		}
		if !errors.Is(err, bus.ErrUnavailable) || time.Now().After(end) {
			t.Fatalf("consuming a deleted queue: %v", err)
		}
	}

	// And so does a caller.
	mustCall(t, caller, bus.Writes, "once more")
	broker.Delete(t, o.Prefix+"control")
	if e := call(t, caller, bus.Control, "unroutable", time.Second); !errors.Is(e.err, context.DeadlineExceeded) {
		t.Errorf("a call to a deleted queue: %v", e.err)
	}
	serve(t, caller, bus.Control)
	mustCall(t, caller, bus.Control, "served")
}

func mismatch(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	broker.Do(t, func(ch *amqp091.Channel) error {
		_, err := ch.QueueDeclare(o.Prefix+"writes", true, false, false, false, nil)
		return err
	})
	e := call(t, newBus(t, o), bus.Writes, "w", patience)
	if !errors.Is(e.err, amqp.ErrMismatch) || !strings.Contains(e.err.Error(), o.Prefix+"writes") {
		t.Errorf("a call: %v", e.err)
	}
	if e.took > patience/4 {
		t.Errorf("it took %v to say so", e.took)
	}
}

// replaced is the upgrade of a broker of one node to one of several.
func replaced(t *testing.T, broker amqptest.Broker) {
	before := at(t, broker)
	after := before
	after.Replicated = true
	old := newBus(t, before)
	if err := old.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := old.Consume(t.Context(), bus.Reads, bus.ConsumeOptions{Prefetch: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if e := call(t, newBus(t, after), bus.Reads, "used", patience); !errors.Is(e.err, amqp.ErrMismatch) {
		t.Errorf("a call while somebody uses the old queue: %v", e.err)
	}
	c.Close()
	for end := time.Now().Add(patience); ; { // the queue learns of it a little later
		found, err := old.Inspect(t.Context(), bus.Reads)
		if err == nil && found.Consumers == 0 {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d consumers are left: %v", found.Consumers, err)
		}
	}
	serve(t, newBus(t, after), bus.Reads)
	mustCall(t, newBus(t, after), bus.Reads, "unused")
	if e := call(t, newBus(t, before), bus.Reads, "back", patience); !errors.Is(e.err, amqp.ErrMismatch) {
		t.Errorf("a call by the old kind: %v", e.err)
	}
}

func idleRedial(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	proxy := amqptest.NewProxy(t, broker.Addr())
	serve(t, newBus(t, o), bus.Reads)
	o.Broker.URL, o.Broker.Heartbeat = broker.Via(proxy.Addr()), time.Minute
	o.IdleRedial = 300 * time.Millisecond
	caller := newBus(t, o)
	mustCall(t, caller, bus.Reads, "before")
	// The sandbox is frozen, and the broker's end of the connection goes away unseen: what is
	// published into it gets lost without an error. Only the time tells.
	lost := proxy.Forget()
	time.Sleep(o.IdleRedial + 10*time.Millisecond)
	if e := call(t, caller, bus.Reads, "after", 5*time.Second); e.err != nil {
		t.Errorf("a call after a long sleep: %v", e.err)
	}
	lost()
}
