package access_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
	busrabbitmq "rideshare/internal/bus/rabbitmq"
	"rideshare/internal/replog"
	lograbbitmq "rideshare/internal/replog/rabbitmq"
)

// running is the three programs at work.
type running struct {
	caller     bus.Bus
	working    bus.Bus // the worker's
	writes     bus.Consumer
	replyQueue string
}

// programs lets each user do all that its program does, with the names that are shipped.
func programs(t *testing.T, s site) running {
	t.Helper()
	caller := s.bus(t, orchestrator)
	// Busy processors may let the deadline be the first to say so.
	if _, err := call(t, caller, bus.Writes, time.Second); !errors.Is(err, bus.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a write that there is no queue for: %v", err) // a worker makes it
	}
	working, watching := s.bus(t, worker, bus.Writes, bus.Reads), s.bus(t, watcher, bus.Control)
	p := running{caller: caller, working: working, writes: consume(t, working, bus.Writes)}
	for q, c := range map[bus.Queue]bus.Consumer{
		bus.Writes: p.writes, bus.Reads: consume(t, working, bus.Reads), bus.Control: consume(t, watching, bus.Control),
	} {
		done := answer(t, c, "reply of "+string(q))
		if body, err := call(t, caller, q, patience); err != nil || body != "reply of "+string(q) {
			t.Errorf("a call to %s: %q, %v", q, body, err)
		}
		<-done
		if found, err := caller.Inspect(t.Context(), q); err != nil || found.Consumers != 1 {
			t.Errorf("%s has %d consumers: %v", q, found.Consumers, err)
		}
	}
	bound(t, s, "rideshare.writes.requests rideshare.writes.first", "rideshare.writes.again rideshare.writes")
	appendAndFollow(t, s)
	for name := range strings.Lines(s.Output(t, "rabbitmqctl", "--quiet", "list_queues", "--no-table-headers", "name")) {
		if strings.HasPrefix(name, "rideshare.responses.") {
			p.replyQueue = strings.TrimSpace(name)
		}
	}
	if p.replyQueue == "" || t.Failed() {
		t.Fatal("the programs do not work")
	}
	return p
}

// bound waits until queues are bound: "exchange queue".
func bound(t *testing.T, s site, want ...string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) { // the broker has to be asked
		have := strings.ReplaceAll(s.Output(t, "rabbitmqctl", "--quiet", "list_bindings", "--no-table-headers", "source_name", "destination_name"), "\t", " ")
		missing := slices.DeleteFunc(slices.Clone(want), func(w string) bool {
			return slices.Contains(strings.Split(have, "\n"), w)
		})
		if len(missing) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q are not among the bindings:\n%s", missing, have)
		}
	}
}

func (s site) bus(t *testing.T, user string, queues ...bus.Queue) bus.Bus {
	b, err := busrabbitmq.New(busrabbitmq.Options{Broker: s.options(user), Queues: queues})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (s site) options(user string) amqp.Options {
	return amqp.Options{URL: s.url(user, s.passwords[user]), Name: user, Heartbeat: 30 * time.Second}
}

// consume subscribes as the programs do, again and again: the queues are slow right after the start.
func consume(t *testing.T, b bus.Bus, q bus.Queue) bus.Consumer {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		c, err := b.Consume(t.Context(), q, bus.ConsumeOptions{Prefetch: 1})
		if err == nil {
			return c
		}
		if !errors.Is(err, bus.ErrUnavailable) || time.Now().After(end) {
			t.Fatalf("consuming %s: %v", q, err)
		}
	}
}

// answer answers the next request.
func answer(t *testing.T, c bus.Consumer, body string) (done <-chan struct{}) {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d, ok := <-c.Deliveries()
		if !ok {
			t.Error("the subscription has ended")
			return
		}
		if err := errors.Join(d.Reply(context.Background(), []byte(body)), d.Ack()); err != nil {
			t.Error(err)
		}
	}()
	return answered
}

func call(t *testing.T, b bus.Bus, q bus.Queue, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	body, err := b.Call(ctx, q, bus.Request{ID: fmt.Sprint("to ", q), Body: []byte("request")})
	return string(body), err
}

func appendAndFollow(t *testing.T, s site) {
	t.Helper()
	log, err := lograbbitmq.New(lograbbitmq.Options{Broker: s.options(worker)})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // nothing depends on it
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := log.Append(ctx, []byte("record"))
		if err == nil {
			break
		}
		if !errors.Is(err, replog.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	reader, err := log.Open(ctx, replog.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // as above
	if raws, err := reader.Next(ctx); err != nil || string(raws[0].Data) != "record" {
		t.Errorf("the log has %v, %v", raws, err)
	}
}

// forgedReply lets the watcher, which may reply to commands, answer a write before the master does.
func forgedReply(t *testing.T, s site, p running) {
	type result struct {
		body string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		body, err := call(t, p.caller, bus.Writes, patience)
		got <- result{body, err}
	}()
	var d bus.Delivery
	select {
	case d = <-p.writes.Deliveries():
	case <-time.After(patience):
		t.Fatal("the write has not come")
	}
	ch, err := s.as(t, watcher).Channel()
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		t.Fatal(err)
	}
	returned := ch.NotifyReturn(make(chan amqp091.Return, 100))
	for n := range uint64(100) { // the numbers of the calls are easy to guess
		confirm, err := ch.PublishWithDeferredConfirm("rideshare.control.replies", p.replyQueue, true, false,
			amqp091.Publishing{CorrelationId: strconv.FormatUint(n, 36), Body: []byte("forged")})
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := confirm.WaitContext(t.Context()); !ok || err != nil {
			t.Fatalf("forged reply %d: %t, %v", n, ok, err)
		}
	}
	if len(returned) > 0 {
		t.Fatalf("%d forged replies have not reached the caller's queue: this shows nothing", len(returned))
	}
	if err := errors.Join(d.Reply(t.Context(), []byte("true")), d.Ack()); err != nil {
		t.Fatal(err)
	}
	if r := <-got; r.err != nil || r.body != "true" {
		t.Errorf("the call returned %q, %v", r.body, r.err)
	}
}

// deadLetters: a write that kills all its consumers ends where it can be looked at.
func deadLetters(t *testing.T, s site, p running) {
	p.writes.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := p.caller.Call(ctx, bus.Writes, bus.Request{ID: "deadly"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a write that nobody takes: %v", err)
	}
	ch, err := s.as(t, orchestrator).Channel()
	if err != nil {
		t.Fatal(err)
	}
	c := consume(t, p.working, bus.Writes)
	for end := time.Now().Add(patience); ; {
		select {
		case <-c.Deliveries():
			c.Close()
			c = consume(t, p.working, bus.Writes)
			continue
		case <-time.After(20 * time.Millisecond):
		}
		// To ask how a queue is takes no permission.
		q, err := ch.QueueDeclarePassive("rideshare.writes.dead", true, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if q.Messages == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d dead letters", q.Messages)
		}
	}
}
