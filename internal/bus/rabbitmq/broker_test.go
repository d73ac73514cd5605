package rabbitmq_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/stopwatch"
)

func memoryAlarm(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	caller, closing := newBus(t, o), newBus(t, o)
	serve(t, newBus(t, o), bus.Writes)
	mustCall(t, caller, bus.Writes, "before")
	mustCall(t, closing, bus.Writes, "before closing")

	release := broker.Alarm(t)
	// The broker tells a connection when it has published. From then on it is told at once.
	for n := 0; ; n++ {
		e := call(t, caller, bus.Writes, fmt.Sprint("alarm ", n), 2*time.Second)
		if errors.Is(e.err, bus.ErrUnavailable) && e.took < 100*time.Millisecond {
			break
		}
		if n > 1000 {
			t.Fatalf("the last of %d calls took %v: %v", n, e.took, e.err)
		}
	}
	// It does not read the farewell of a connection that has published, while its heartbeats go on.
	call(t, closing, bus.Writes, "closing", 500*time.Millisecond)
	watch := stopwatch.Start()
	if err := closing.Close(); err != nil {
		t.Error(err)
	}
	if took := watch.Took(); took > 3*time.Second {
		t.Errorf("closing took %v", took)
	}
	release()
	for start := time.Now(); ; {
		e := call(t, caller, bus.Writes, "after", patience)
		if e.err == nil {
			break
		}
		if !errors.Is(e.err, bus.ErrUnavailable) || time.Since(start) > patience {
			t.Fatalf("after the alarm: %v", e.err)
		}
	}
}

func paused(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	caller := newBus(t, o)
	s := serve(t, newBus(t, o), bus.Writes)
	mustCall(t, caller, bus.Writes, "before")
	stop := make(chan struct{})
	ends := drive(t, caller, patience, stop)
	brief := drive(t, caller, time.Second, stop)

	broker.Pause(t)
	wait(t, s.ended, 4*time.Second, "the end of the subscription") // 1.5 heartbeats, and a dial
	if e := call(t, caller, bus.Writes, "none", time.Second); !expired(e.err) {
		t.Errorf("a call to a paused broker: %v", e.err)
	}
	broker.Unpause(t)
	mustCall(t, caller, bus.Writes, "after")
	close(stop)
	for _, e := range ends() {
		if e.err != nil {
			t.Errorf("call %s after %v: %v", e.id, e.took, e.err)
		}
	}
	for _, e := range brief() {
		if e.err != nil && !expired(e.err) {
			t.Errorf("call %s after %v: %v", e.id, e.took, e.err)
		}
	}
}

func restarted(t *testing.T, broker amqptest.Broker) {
	o := at(t, broker)
	alone := o
	alone.Gather = 1 // so that messages can be counted for requests
	caller, other := newBus(t, o), newBus(t, alone)
	const kept = 20 // writes that nobody takes before the broker dies
	var publishing sync.WaitGroup
	for i := range kept {
		publishing.Go(func() {
			if e := call(t, other, bus.Writes, fmt.Sprint("kept ", i), time.Second); !expired(e.err) {
				t.Errorf("a call that nobody answers: %v", e.err)
			}
		})
	}
	publishing.Wait()
	if n := broker.Messages(t, o.Prefix+"writes"); n != kept {
		t.Fatalf("%d messages wait, want %d", n, kept)
	}
	s := serve(t, newBus(t, o), bus.Writes)
	stop := make(chan struct{})
	ends := drive(t, caller, patience, stop)
	mustCall(t, caller, bus.Writes, "before")

	broker.Kill(t)
	wait(t, s.ended, 4*time.Second, "the end of the subscription")
	if e := call(t, caller, bus.Writes, "none", time.Second); !expired(e.err) {
		t.Errorf("a call without a broker: %v", e.err)
	}
	broker.Container.Start(t)
	mustCall(t, caller, bus.Writes, "after")
	close(stop)
	for _, e := range ends() {
		if e.err != nil {
			t.Errorf("call %s after %v: %v", e.id, e.took, e.err)
		}
	}
	for i := range kept {
		if id := fmt.Sprint("kept ", i); !s.has(id) {
			t.Errorf("%s was lost", id)
		}
	}
}
