package bustest

import (
	"context"
	"errors"
	"time"

	"rideshare/internal/bus"
)

// pending is a call that waits for its reply.
type pending struct {
	kit  *kit
	done chan struct{}
	body []byte
	err  error
}

// start begins a call that waits as long as the scenario.
func (k *kit) start(b bus.Bus, q bus.Queue, r bus.Request) *pending {
	return k.startUntil(k.Context(), b, q, r)
}

func (k *kit) startUntil(ctx context.Context, b bus.Bus, q bus.Queue, r bus.Request) *pending {
	p := &pending{kit: k, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.body, p.err = b.Call(ctx, q, r)
	}()
	return p
}

// publish begins calls of these ids one after the other, each when the one before is in the queue.
func (k *kit) publish(b bus.Bus, q bus.Queue, ids ...string) []*pending {
	var calls []*pending
	for _, id := range ids {
		calls = append(calls, k.start(b, q, bus.Request{ID: id}))
		k.settle()
	}
	return calls
}

// brief returns a context that ends soon, but long after a message has arrived.
func (k *kit) brief() context.Context {
	ctx, cancel := context.WithTimeout(k.Context(), 10*k.features.Settle)
	k.Cleanup(cancel)
	return ctx
}

func (p *pending) wait() {
	p.kit.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kit.Fatal("the call does not return")
	}
}

// gets checks that the call returns this reply.
func (p *pending) gets(body string) {
	p.kit.Helper()
	p.wait()
	if p.err != nil || string(p.body) != body {
		p.kit.Fatalf("call returned %.40q, %v; want %.40q", p.body, p.err, body)
	}
}

// fails checks that the call returns this error.
func (p *pending) fails(want error) {
	p.kit.Helper()
	p.wait()
	if !errors.Is(p.err, want) {
		p.kit.Fatalf("call returned %.40q, %v; want %v", p.body, p.err, want)
	}
}
