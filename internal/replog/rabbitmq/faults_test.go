package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/replog"
	"rideshare/internal/replog/rabbitmq"
)

func cutMidAppend(t *testing.T, broker amqptest.Broker) {
	s := newServer(t, broker)
	log, proxy := s.through(t)
	large := strings.Repeat("x", 300_000)
	for i, at := range []int{1, 20, 300, 5_000, 131_072, 200_000, 300_020} {
		add(t, log, fmt.Sprint("before ", i))
		proxy.CutAfter(at)
		if n := add(t, log, large+fmt.Sprint(i)); n < 2 {
			t.Errorf("cut after %d bytes: confirmed at once", at)
		}
	}
	found := map[string]bool{}
	for _, raw := range all(t, s.Connect(t)) {
		found[string(raw.Data)] = true
	}
	for i := range 7 {
		if !found[large+fmt.Sprint(i)] {
			t.Errorf("record %d was confirmed and is not there", i)
		}
	}
}

func stalled(t *testing.T, broker amqptest.Broker) {
	log, proxy := newServer(t, broker).through(t)
	for _, d := range []amqptest.Direction{amqptest.ToBroker, amqptest.ToClient} {
		add(t, log, "before")
		reader, err := log.Open(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		proxy.Stall(d, true)
		stuck(t, log, reader)
		proxy.Stall(d, false)
		add(t, log, "after")
	}
}

// slowSetUp: appends that have less time than a connection takes still make one, which the next uses.
func slowSetUp(t *testing.T, broker amqptest.Broker) {
	dials, connect := make(chan struct{}, 10), make(chan struct{})
	log := newServer(t, broker).connect(t, rabbitmq.Options{Broker: amqp.Options{
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials <- struct{}{}
			select {
			case <-connect:
				return new(net.Dialer).DialContext(ctx, network, addr)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
		DialTimeout: patience,
	}})
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := log.Append(brief, []byte("brief")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an append that the connection did not come in time for: %v", err)
	}
	close(connect)
	add(t, log, "patient")
	if n := len(dials); n != 1 {
		t.Errorf("%d connections for appends, want the first", n)
	}
}

// stuck checks that everything ends in time while nothing comes from the broker.
func stuck(t *testing.T, log replog.Log, reader replog.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	inTime(t, 1200*time.Millisecond, func() error { return log.Append(ctx, []byte("brief")) },
		context.DeadlineExceeded, replog.ErrUnavailable)
	// Without a deadline: the heartbeat tells, and then a dial times out.
	inTime(t, 5*time.Second, func() error { return log.Append(t.Context(), []byte("patient")) }, replog.ErrUnavailable)
	inTime(t, 5*time.Second, func() error {
		for {
			if _, err := reader.Next(t.Context()); err != nil {
				return err
			}
		}
	}, replog.ErrUnavailable)
	inTime(t, 3*time.Second, func() error { return reader.Close() }, nil)
	inTime(t, 5*time.Second, func() error { _, err := log.Open(t.Context(), 0); return err }, replog.ErrUnavailable)
}

func paused(t *testing.T, broker amqptest.Broker) {
	log := newServer(t, broker).connect(t, rabbitmq.Options{Broker: amqp.Options{Heartbeat: time.Second}})
	add(t, log, "before")
	reader, err := log.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	broker.Pause(t)
	stuck(t, log, reader)
	broker.Unpause(t)
	add(t, log, "after")
}

func memoryAlarm(t *testing.T, broker amqptest.Broker) {
	log := newServer(t, broker).Connect(t)
	add(t, log, "before")
	release := broker.Alarm(t)
	for n := 0; ; n++ {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := log.Append(ctx, []byte("alarm"))
		cancel()
		if err != nil && time.Since(start) < 100*time.Millisecond {
			break
		}
		if n > 1000 {
			t.Fatalf("the last of %d appends took %v: %v", n, time.Since(start), err)
		}
	}
	release()
	add(t, log, "after")
}

// restarted kills the broker under writers and a follower.
func restarted(t *testing.T, broker amqptest.Broker) {
	s := newServer(t, broker)
	var mu sync.Mutex
	var acknowledged []string
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 4 {
		log := s.Connect(t)
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				data := fmt.Sprint(i, ".", n)
				add(t, log, data)
				mu.Lock()
				acknowledged = append(acknowledged, data)
				mu.Unlock()
			}
		})
	}
	seen := make(chan string, 1)
	follower := s.Connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { follow(ctx, t, follower, seen) })
	<-seen

	broker.Kill(t)
	inTime(t, 2*time.Second, func() error { return s.Connect(t).Append(t.Context(), nil) }, replog.ErrUnavailable)
	broker.Container.Start(t)
	probe := s.Connect(t)
	add(t, probe, "after")
	for data := range seen {
		if data == "after" {
			break
		}
	}
	close(stop)
	writers.Wait()
	cancel()
	following.Wait()

	found := map[string]bool{}
	for _, raw := range all(t, probe) {
		found[string(raw.Data)] = true
	}
	for _, data := range acknowledged {
		if !found[data] {
			t.Errorf("%s was acknowledged and is not in the log", data)
		}
	}
	t.Logf("%d records acknowledged", len(acknowledged))
}

// follow reads on through lost connections, and checks that no record is skipped or repeated.
func follow(ctx context.Context, t *testing.T, log replog.Log, seen chan<- string) {
	next := replog.Oldest
	for ctx.Err() == nil {
		reader, err := log.Open(ctx, next)
		if err != nil {
			continue // a dial takes its time
		}
		for first := next != replog.Oldest; ; first = false {
			raws, err := reader.Next(ctx)
			if err != nil {
				break
			}
			for i, raw := range raws {
				if again := first && i == 0; !again && raw.Offset != next+1 || again && raw.Offset != next {
					t.Errorf("record %d comes after %d", raw.Offset, next)
				}
				next = raw.Offset
				select {
				case seen <- string(raw.Data):
				case <-ctx.Done():
				}
			}
		}
		_ = reader.Close()
	}
}
