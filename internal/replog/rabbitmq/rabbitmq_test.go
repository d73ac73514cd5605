package rabbitmq_test

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/replog"
	"rideshare/internal/replog/rabbitmq"
	"rideshare/internal/replog/replogtest"
	"rideshare/internal/stopwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 40 * time.Second

// TestRabbitMQ runs everything on one broker: starting it takes longer than most tests.
func TestRabbitMQ(t *testing.T) {
	broker := amqptest.Start(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, amqptest.Broker)
	}{
		{"conformance", conformance},
		{"a reader attaches within a chunk", withinChunk},
		{"a reader acknowledges before its credit is used up", smallCredit},
		{"retention drops the oldest", retention},
		{"a connection is cut in the middle of an append", cutMidAppend},
		{"a network that stalls holds nobody beyond the deadline", stalled},
		{"a connection that takes longer than an append", slowSetUp},
		{"the stream is deleted", deleted},
		{"a queue of another kind is in the way", mismatch},
		{"the broker runs out of memory", memoryAlarm},
		{"the broker is paused", paused},
		{"the broker is killed and starts again", restarted},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, broker) })
	}
}

func conformance(t *testing.T, broker amqptest.Broker) {
	replogtest.Run(t, replogtest.Features{TellsLost: true}, func(t *testing.T) replogtest.Server {
		return newServer(t, broker)
	})
}

// server is a stream of its own.
type server struct {
	amqptest.Broker
	name string
}

func newServer(t testing.TB, broker amqptest.Broker) server {
	return server{broker, broker.Prefix(t, "sync") + "sync"}
}

// Connect implements replogtest.Server.
func (s server) Connect(t *testing.T) replog.Log { return s.connect(t, rabbitmq.Options{}) }

func (s server) connect(t testing.TB, o rabbitmq.Options) *rabbitmq.Log {
	t.Helper()
	if o.Broker.URL == "" {
		o.Broker.URL = s.URL
	}
	// Where a test does not wait for it, a machine that stands still for a second or two is to end nothing.
	o.Broker.Heartbeat = cmp.Or(o.Broker.Heartbeat, 30*time.Second)
	o.Name = s.name
	l, err := rabbitmq.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// through returns a log that reaches the stream by way of a proxy.
func (s server) through(t *testing.T) (*rabbitmq.Log, *amqptest.Proxy) {
	proxy := amqptest.NewProxy(t, s.Addr())
	return s.connect(t, rabbitmq.Options{Broker: amqp.Options{URL: s.Via(proxy.Addr()), Heartbeat: time.Second}}), proxy
}

// add appends a record as masters do, the same bytes until it is confirmed, and returns how often
// that took.
func add(t testing.TB, log replog.Log, data string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for n := 1; ; n++ {
		err := log.Append(ctx, []byte(data))
		if err == nil {
			return n
		}
		if !errors.Is(err, replog.ErrUnavailable) {
			t.Errorf("Append(%.20q): %v", data, err)
			return n
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// all reads the log from its oldest record to the end.
func all(t *testing.T, log replog.Log) []replog.Raw {
	t.Helper()
	add(t, log, "the end")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reader, err := log.Open(ctx, replog.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	var raws []replog.Raw
	for {
		more, err := reader.Next(ctx)
		if err != nil {
			t.Fatalf("after %d records: %v", len(raws), err)
		}
		raws = append(raws, more...)
		if string(raws[len(raws)-1].Data) == "the end" {
			return raws
		}
	}
}

// inTime runs an operation, and checks that it ends in time with one of these errors.
func inTime(t *testing.T, limit time.Duration, f func() error, want ...error) {
	t.Helper()
	watch := stopwatch.Start()
	err := f()
	if took := watch.Took(); took > limit {
		t.Errorf("it took %v, more than %v: %v", took, limit, err)
	}
	for _, w := range want {
		if errors.Is(err, w) {
			return
		}
	}
	t.Errorf("%v, want one of %v", err, want)
}
