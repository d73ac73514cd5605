package memory_test

import (
	"context"
	"testing"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/bus/memory"
)

// BenchmarkCall is one request and its reply, for many callers and one consumer as the master is.
func BenchmarkCall(b *testing.B) {
	broker := memory.NewBroker(memory.Options{})
	worker, caller := broker.Connect(), broker.Connect()
	consumer, err := worker.Consume(b.Context(), bus.Writes, bus.ConsumeOptions{Prefetch: 256})
	if err != nil {
		b.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for d := range consumer.Deliveries() {
			if d.Reply(context.Background(), d.Body) != nil || d.Ack() != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	body := make([]byte, 200)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := caller.Call(ctx, bus.Writes, bus.Request{ID: "r", Body: body}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "roundtrips/s")
	consumer.Close()
	<-stopped
}
