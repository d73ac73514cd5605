package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/stopwatch"
)

// patience is how long a test waits for what must come.
const patience = 40 * time.Second

// server executes writes as a master does: once by id, in spite of redeliveries, and again and
// again subscribes when the subscription ends.
type server struct {
	mu       sync.Mutex
	executed map[string]string // body by id
	ended    chan struct{}     // a token for each subscription that has ended
}

func serve(t *testing.T, b bus.Bus, q bus.Queue) *server {
	s := &server{executed: map[string]string{}, ended: make(chan struct{}, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			c, err := b.Consume(ctx, q, bus.ConsumeOptions{Prefetch: 64})
			if err != nil {
				continue // it waits for a broker that is away
			}
			stop := context.AfterFunc(ctx, c.Cancel)
			s.consume(c)
			stop()
			c.Close()
			s.ended <- struct{}{}
		}
	})
	t.Cleanup(func() { cancel(); work.Wait() })
	return s
}

func (s *server) consume(c bus.Consumer) {
	for d := range c.Deliveries() {
		s.mu.Lock()
		if _, again := s.executed[d.ID]; !again {
			s.executed[d.ID] = string(d.Body)
		}
		body := s.executed[d.ID]
		s.mu.Unlock()
		if d.Reply(context.Background(), []byte(body)) == nil {
			_ = d.Ack() // where it fails the message comes again
		}
	}
}

func (s *server) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.executed[id]
	return ok
}

// end is a call that ended.
type end struct {
	id   string
	err  error
	took time.Duration
}

// call calls, and checks that the reply is right and that the call ends in time.
func call(t testing.TB, b bus.Bus, q bus.Queue, id string, limit time.Duration) end {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	watch := stopwatch.Start()
	body, err := b.Call(ctx, q, bus.Request{ID: id, Body: []byte("body of " + id)})
	took := watch.Took()
	if took > limit+500*time.Millisecond {
		t.Errorf("call %s took %v of its %v", id, took, limit)
	}
	if err == nil && string(body) != "body of "+id {
		t.Errorf("call %s returned %q", id, body)
	}
	return end{id, err, took}
}

func mustCall(t testing.TB, b bus.Bus, q bus.Queue, id string) {
	t.Helper()
	if e := call(t, b, q, id, patience); e.err != nil {
		t.Fatalf("call %s after %v: %v", id, e.took, e.err)
	}
}

// drive calls from several goroutines until stop is closed, and then returns how all calls ended.
func drive(t *testing.T, b bus.Bus, limit time.Duration, stop <-chan struct{}) func() []end {
	var mu sync.Mutex
	var ends []end
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				e := call(t, b, bus.Writes, fmt.Sprint(i, ".", n), limit)
				mu.Lock()
				ends = append(ends, e)
				mu.Unlock()
			}
		})
	}
	return func() []end { work.Wait(); return ends }
}

// wait waits for a token, or fails.
func wait(t *testing.T, c <-chan struct{}, limit time.Duration, what string) {
	t.Helper()
	watch := stopwatch.Start()
	late := time.After(max(limit, patience))
	select {
	case <-c:
	case <-late:
	}
	if watch.Took() > limit {
		t.Fatalf("%s: not within %v", what, limit)
	}
}

// expired reports whether a call ended because of its deadline, or was told that the broker is away.
func expired(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, bus.ErrUnavailable)
}
