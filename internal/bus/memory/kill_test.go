package memory_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"rideshare/internal/bus"
	"rideshare/internal/bus/memory"
)

func consume(t *testing.T, c *memory.Conn, prefetch int) bus.Consumer {
	t.Helper()
	s, err := c.Consume(t.Context(), bus.Writes, bus.ConsumeOptions{Prefetch: prefetch})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// call calls in the background, and returns when the message is in its queue.
func call(t *testing.T, c *memory.Conn, id string) (reply chan string, failure chan error) {
	reply, failure = make(chan string, 1), make(chan error, 1)
	go func() {
		body, err := c.Call(t.Context(), bus.Writes, bus.Request{ID: id})
		reply <- string(body)
		failure <- err
	}()
	synctest.Wait()
	return reply, failure
}

func TestKilledProcessAchievesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := memory.NewBroker(memory.Options{})
		caller, dead, heir := broker.Connect(), broker.Connect(), broker.Connect()
		held := consume(t, dead, 1)
		reply, _ := call(t, caller, "a")
		_, failure := call(t, dead, "b")
		d := <-held.Deliveries()
		dead.Kill()

		if err := <-failure; !errors.Is(err, bus.ErrClosed) {
			t.Errorf("a waiting call of the dead process returned %v", err)
		}
		if err := d.Reply(t.Context(), []byte("by the dead")); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("Reply returned %v", err)
		}
		if err := d.Ack(); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("Ack returned %v", err)
		}
		if _, err := dead.Call(t.Context(), bus.Writes, bus.Request{ID: "c"}); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("Call returned %v", err)
		}

		alive := consume(t, heir, 3)
		for _, want := range []string{"a", "b"} { // and not "c"
			d := <-alive.Deliveries()
			if d.ID != want {
				t.Fatalf("delivered %q, want %q", d.ID, want)
			}
			if err := errors.Join(d.Reply(t.Context(), []byte("by the heir")), d.Ack()); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-reply; got != "by the heir" {
			t.Errorf("the caller got %q", got)
		}
		if n := len(alive.Deliveries()); n != 0 {
			t.Errorf("%d more deliveries", n)
		}
	})
}

func TestOrderWhenSeveralGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := memory.NewBroker(memory.Options{})
		caller, odd, even := broker.Connect(), broker.Connect(), broker.Connect()
		consume(t, odd, 3)
		consume(t, even, 3)
		for _, id := range []string{"1", "2", "3", "4", "5", "6", "7"} {
			call(t, caller, id)
		}
		broker.SetAvailable(false) // ends both consumers before any message can go to the other
		broker.SetAvailable(true)
		all := consume(t, broker.Connect(), 10)
		for _, want := range []string{"1", "2", "3", "4", "5", "6", "7"} {
			if d := <-all.Deliveries(); d.ID != want {
				t.Fatalf("delivered %q, want %q", d.ID, want)
			}
		}
	})
}

func TestDeadLettersKeepTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := memory.NewBroker(memory.Options{})
		worker := broker.Connect()
		call(t, broker.Connect(), "poison")
		for range bus.DeliveryLimit {
			consume(t, worker, 1).Close()
		}
		if dead := broker.DeadLetters(); len(dead) != 1 || dead[0].ID != "poison" {
			t.Errorf("dead letters: %v", dead)
		}
	})
}
