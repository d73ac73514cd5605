package rabbitmq_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/rabbitmq"
)

// kinds are the queues that differ.
var kinds = []struct {
	name       string
	queue      bus.Queue
	replicated bool
}{
	{"writes", bus.Writes, false},
	{"reads", bus.Reads, false},
	{"replicated reads", bus.Reads, true},
}

// rig is a caller and a worker that echoes, each on a bus of its own.
func rig(b *testing.B, broker amqptest.Broker, q bus.Queue, replicated bool) *rabbitmq.Bus {
	o := at(b, broker)
	o.Replicated = replicated
	caller, worker := newBus(b, o), newBus(b, o)
	c, err := worker.Consume(b.Context(), q, bus.ConsumeOptions{Prefetch: 512})
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for d := range c.Deliveries() {
			if d.Reply(context.Background(), d.Body) != nil || d.Ack() != nil {
				return
			}
		}
	}()
	mustCall(b, caller, q, "first")
	return caller
}

// BenchmarkRoundTrip is one call at a time: publish, delivery, reply, acknowledgement.
func BenchmarkRoundTrip(b *testing.B) {
	broker := amqptest.Start(b)
	for _, kind := range kinds {
		q := kind.queue
		b.Run(kind.name, func(b *testing.B) {
			caller := rig(b, broker, q, kind.replicated)
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				mustCall(b, caller, q, "r")
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}

// BenchmarkThroughput is many callers on one connection.
func BenchmarkThroughput(b *testing.B) {
	broker := amqptest.Start(b)
	for _, kind := range kinds {
		q := kind.queue
		b.Run(kind.name, func(b *testing.B) {
			caller := rig(b, broker, q, kind.replicated)
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mustCall(b, caller, q, "r")
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "roundtrips/s")
		})
	}
}
