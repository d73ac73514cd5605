package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/replog"
	"rideshare/internal/replog/rabbitmq"
)

// withinChunk: what is appended at the same time goes into one chunk, and a chunk is what the
// broker reads.
func withinChunk(t *testing.T, broker amqptest.Broker) {
	log := newServer(t, broker).Connect(t)
	add(t, log, "first")
	var appends sync.WaitGroup
	for i := range 300 {
		appends.Go(func() { add(t, log, fmt.Sprint(i)) })
	}
	appends.Wait()
	raws := all(t, log)
	if len(raws) != 302 {
		t.Fatalf("%d records, want 302", len(raws))
	}
	for i := 0; i < len(raws); i += 23 {
		reader, err := log.Open(t.Context(), raws[i].Offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := reader.Next(t.Context())
		if err != nil || got[0].Offset != raws[i].Offset || string(got[0].Data) != string(raws[i].Data) {
			t.Errorf("attached at %d: %q at %d, %v", raws[i].Offset, got[0].Data, got[0].Offset, err)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
}

// smallCredit: the broker goes on to send, whether records come one by one or all at once.
func smallCredit(t *testing.T, broker amqptest.Broker) {
	log := newServer(t, broker).connect(t, rabbitmq.Options{Prefetch: 10})
	reader, err := log.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const records = 60
	read := func(upTo int) (got int) {
		for got < upTo {
			raws, err := reader.Next(ctx)
			if err != nil {
				t.Fatalf("after %d of %d records: %v", got, upTo, err)
			}
			got += len(raws)
		}
		return got
	}
	read(1) // the barrier of log.Open's own
	for i := range records {
		add(t, log, fmt.Sprint(i))
		read(1)
	}
	for i := range records {
		add(t, log, fmt.Sprint(i))
	}
	read(records)
}

func retention(t *testing.T, broker amqptest.Broker) {
	log := newServer(t, broker).connect(t, rabbitmq.Options{SegmentBytes: 100_000, MaxBytes: 200_000})
	large := strings.Repeat("x", 20_000)
	deadline := time.Now().Add(patience)
	for {
		for range 20 {
			add(t, log, large)
		}
		raws := all(t, log)
		if raws[0].Offset > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was dropped")
		}
	}
	if _, err := log.Open(t.Context(), 0); !errors.Is(err, replog.ErrLost) {
		t.Errorf("Open at what was dropped: %v", err)
	}
}

func deleted(t *testing.T, broker amqptest.Broker) {
	s := newServer(t, broker)
	log, other := s.Connect(t), s.Connect(t)
	for i := range 10 {
		add(t, log, fmt.Sprint("old ", i))
	}
	reader, err := log.Open(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // nothing depends on it
	if _, err := reader.Next(t.Context()); err != nil {
		t.Fatal(err)
	}

	broker.Delete(t, s.name)
	// The message is returned, and confirmed: an append that took that for success would be lost.
	inTime(t, patience, func() error { return log.Append(t.Context(), []byte("into nothing")) }, replog.ErrUnavailable)
	inTime(t, patience, func() error { _, err := reader.Next(t.Context()); return err }, replog.ErrUnavailable)
	// A reader of the old stream finds out that it attached to a new one, which is shorter.
	inTime(t, 5*time.Second, func() error { _, err := other.Open(t.Context(), 9); return err }, replog.ErrLost)

	add(t, log, "new")
	for _, raw := range all(t, other) {
		if strings.HasPrefix(string(raw.Data), "old") {
			t.Errorf("%q is still there", raw.Data)
		}
	}
}

func mismatch(t *testing.T, broker amqptest.Broker) {
	s := newServer(t, broker)
	broker.Do(t, func(ch *amqp091.Channel) error {
		_, err := ch.QueueDeclare(s.name, true, false, false, false, nil)
		return err
	})
	log := s.Connect(t)
	inTime(t, patience/4, func() error { return log.Append(t.Context(), []byte("a")) }, amqp.ErrMismatch)
	inTime(t, patience/4, func() error { _, err := log.Open(t.Context(), 0); return err }, amqp.ErrMismatch)
}
