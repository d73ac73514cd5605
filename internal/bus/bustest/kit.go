package bustest

import (
	"context"
	"slices"
	"testing"
	"time"

	"rideshare/internal/bus"
)

// patience is how long the suite waits for what must come.
const patience = 10 * time.Second

// kit is what a scenario works with: short words for what scenarios do.
type kit struct {
	*testing.T
	Env
	features Features
}

func (k *kit) need(present bool, what string) {
	k.Helper()
	if !present {
		k.Skip("no " + what + " here")
	}
}

func (k *kit) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// settle waits until nothing more comes of what was done.
func (k *kit) settle() { time.Sleep(k.features.Settle) }

func (k *kit) connect() bus.Bus {
	b := k.Connect()
	k.Cleanup(func() {
		if err := b.Close(); err != nil {
			k.Errorf("close: %v", err)
		}
	})
	return b
}

// kill kills, and waits until it shows: until then consumers hand out what had arrived.
func (k *kit) kill(b bus.Bus) {
	k.Kill(b)
	k.settle()
}

func (k *kit) consume(b bus.Bus, q bus.Queue, prefetch, priority int) bus.Consumer {
	k.Helper()
	c, err := b.Consume(k.Context(), q, bus.ConsumeOptions{Prefetch: prefetch, Priority: priority})
	k.must(err)
	return c
}

// receive returns the next delivery.
func (k *kit) receive(c bus.Consumer) bus.Delivery {
	k.Helper()
	select {
	case d, ok := <-c.Deliveries():
		if !ok {
			k.Fatal("the subscription has ended")
		}
		return d
	case <-time.After(patience):
		k.Fatal("no delivery")
	}
	panic("not reached")
}

// receiveUnless returns the next delivery, or false once something has happened instead.
func (k *kit) receiveUnless(c bus.Consumer, happened func() bool) (bus.Delivery, bool) {
	k.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		select {
		case d, ok := <-c.Deliveries():
			if !ok {
				k.Fatal("the subscription has ended")
			}
			return d, true
		case <-time.After(k.features.Settle):
			if happened() {
				return bus.Delivery{}, false
			}
		}
	}
	k.Fatal("no delivery, and nothing else")
	panic("not reached")
}

// expect receives deliveries of these ids, in this order.
func (k *kit) expect(c bus.Consumer, ids ...string) []bus.Delivery {
	k.Helper()
	var got []bus.Delivery
	for _, id := range ids {
		d := k.receive(c)
		if d.ID != id {
			k.Fatalf("delivered %q, want %q", d.ID, id)
		}
		got = append(got, d)
	}
	return got
}

// expectReturned receives deliveries of these ids after some of them went back. It returns them in this order,
// which is that in which they come where the implementation keeps it.
func (k *kit) expectReturned(c bus.Consumer, ids ...string) []bus.Delivery {
	k.Helper()
	if !k.features.LooseReturns {
		return k.expect(c, ids...)
	}
	got := make([]bus.Delivery, len(ids))
	for range ids {
		d := k.receive(c)
		i := slices.Index(ids, d.ID)
		if i < 0 || got[i].Reply != nil {
			k.Fatalf("delivered %q, want each of %q once", d.ID, ids)
		}
		got[i] = d
	}
	return got
}

// silent checks that the consumer gets nothing.
func (k *kit) silent(c bus.Consumer) {
	k.Helper()
	k.settle()
	select {
	case d, ok := <-c.Deliveries():
		if ok {
			k.Fatalf("delivered %q, want nothing", d.ID)
		}
		k.Fatal("the subscription has ended")
	default:
	}
}

// ended checks that the channel of deliveries is closed, and empty.
func (k *kit) ended(c bus.Consumer) {
	k.Helper()
	select {
	case d, ok := <-c.Deliveries():
		if ok {
			k.Fatalf("delivered %q, want the end", d.ID)
		}
	case <-time.After(patience):
		k.Fatal("the subscription has not ended")
	}
}

// answer replies and acknowledges.
func (k *kit) answer(d bus.Delivery, body string) {
	k.Helper()
	k.must(d.Reply(k.Context(), []byte(body)))
	k.must(d.Ack())
}

// echo answers every delivery with its own body until the subscription ends.
func echo(c bus.Consumer) {
	for d := range c.Deliveries() {
		if d.Reply(context.Background(), d.Body) != nil || d.Ack() != nil {
			return
		}
	}
}
