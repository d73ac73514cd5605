package rabbitmq_test

import (
	"slices"
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/replog"
	"rideshare/internal/replog/rabbitmq"
)

// BenchmarkReadBack is what every write pays: an append until it is read back.
func BenchmarkReadBack(b *testing.B) {
	s := newServer(b, amqptest.Start(b))
	log := s.connect(b, rabbitmq.Options{})
	reader, err := log.Open(b.Context(), replog.Oldest)
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	data := make([]byte, 1000)
	if err := log.Append(b.Context(), data); err != nil {
		b.Fatal(err)
	}
	var read, confirmed []time.Duration
	if _, err := reader.Next(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		done := make(chan error, 1)
		go func() {
			err := log.Append(b.Context(), data)
			confirmed = append(confirmed, time.Since(start))
			done <- err
		}()
		if _, err := reader.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
		read = append(read, time.Since(start))
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	for name, took := range map[string][]time.Duration{"read": read, "confirm": confirmed} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), name+"-p50-us")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), name+"-p99-us")
	}
}
