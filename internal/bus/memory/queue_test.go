package memory

import (
	"testing"
	"time"

	"rideshare/internal/bus"
)

func TestLimits(t *testing.T) {
	type limits map[bus.Queue]int
	for name, test := range map[string]struct {
		options Options
		want    limits
	}{
		"default": {Options{}, limits{bus.Writes: 100_000, bus.Reads: 10_000, bus.Control: 100}},
		"given":   {Options{Reads: 1, Writes: 2, Control: 3}, limits{bus.Reads: 1, bus.Writes: 2, bus.Control: 3}},
	} {
		for q, want := range test.want {
			if got := NewBroker(test.options).queues[q].limit; got != want {
				t.Errorf("%s: %s has limit %d, want %d", name, q, got, want)
			}
		}
	}
}

func TestExpiredIsDroppedBeforeItsCallerNotices(t *testing.T) {
	c := NewBroker(Options{}).Connect()
	for _, m := range []*message{
		{request: bus.Request{ID: "expired"}, deadline: time.Now()},
		{request: bus.Request{ID: "waiting"}, deadline: time.Now().Add(time.Minute)},
	} {
		if _, err := c.publish(bus.Reads, m); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Consume(t.Context(), bus.Reads, bus.ConsumeOptions{Prefetch: 2})
	if err != nil {
		t.Fatal(err)
	}
	if d := <-s.Deliveries(); d.ID != "waiting" || len(s.Deliveries()) != 0 {
		t.Errorf("delivered %q, and %d more", d.ID, len(s.Deliveries()))
	}
}

func TestConsumersAreForgotten(t *testing.T) {
	b := NewBroker(Options{})
	c := b.Connect()
	consume := func() bus.Consumer {
		s, err := c.Consume(t.Context(), bus.Writes, bus.ConsumeOptions{Prefetch: 1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, err := c.publish(bus.Writes, &message{}); err != nil {
		t.Fatal(err)
	}
	consume().Close()
	s := consume()
	consume().Cancel()
	d := <-s.Deliveries()
	s.Cancel()
	if n := len(b.consumers); n != 1 {
		t.Errorf("%d consumers are remembered, want the one that holds a delivery", n)
	}
	if err := d.Ack(); err != nil {
		t.Error(err)
	}
	consume()
	c.Kill()
	if n := len(b.consumers); n != 0 {
		t.Errorf("%d consumers are remembered, want none", n)
	}
}
