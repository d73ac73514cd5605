package dockertest

import (
	"context"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// TestRabbitMQ declares the kinds of queues that RideShare uses, and finds what was confirmed again
// after a kill.
func TestRabbitMQ(t *testing.T) {
	Require(t)
	Image(t, "rabbitmq") // not part of the time
	began := time.Now()
	s := RabbitMQ(t)
	t.Logf("a new RabbitMQ answers after %v", time.Since(began).Round(10*time.Millisecond))
	addr := s.Addr(amqpPort)

	ch := channel(t, s)
	kinds := map[string]string{"q.classic": "classic", "q.quorum": "quorum", "q.stream": "stream"}
	for name, kind := range kinds {
		if _, err := ch.QueueDeclare(name, true, false, false, false, amqp091.Table{"x-queue-type": kind}); err != nil {
			t.Fatalf("a %s queue: %v", kind, err)
		}
	}
	// RabbitMQ writes the list of its quorum queues and streams every 0.5 s: killed before that, it has
	// forgotten a new one, with all confirmed messages in it. It writes the list when it ends, too.
	s.Stop(t)
	s.Start(t)
	s.Await(t)
	ch = channel(t, s)
	for name, kind := range kinds {
		confirmation, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), "", name, true, false,
			amqp091.Publishing{DeliveryMode: amqp091.Persistent, Body: []byte(kind)})
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := confirmation.WaitContext(t.Context()); !ok || err != nil {
			t.Fatalf("a message to the %s queue: %t, %v", kind, ok, err)
		}
	}

	s.Kill(t)
	began = time.Now()
	s.Start(t)
	s.Await(t)
	t.Logf("a killed RabbitMQ answers %v after its start", time.Since(began).Round(10*time.Millisecond))
	if s.Addr(amqpPort) != addr {
		t.Errorf("it moved from %s to %s", addr, s.Addr(amqpPort))
	}
	for name, kind := range kinds {
		awaitMessage(t, s, name, kind)
	}
}

// awaitMessage reads the first message of a queue. Quorum queues and streams are there only some time
// after the port is: until then they seem empty, or refuse with an error that closes the channel.
func awaitMessage(t *testing.T, s *RabbitMQServer, queue, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	args := amqp091.Table{}
	if want == "stream" {
		args["x-stream-offset"] = "first"
	}
	for {
		ch := channel(t, s)
		if err := ch.Qos(10, 0, false); err != nil {
			t.Fatal(err)
		}
		messages, err := ch.ConsumeWithContext(ctx, queue, "", false, false, false, false, args)
		if err == nil {
			select {
			case d := <-messages:
				if string(d.Body) != want {
					t.Errorf("%s has the message %q", queue, d.Body)
				}
			case <-ctx.Done():
				t.Errorf("%s is empty after the kill", queue)
			}
			return
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			t.Errorf("%s cannot be read after the kill: %v", queue, err)
			return
		}
	}
}

func channel(t *testing.T, s *RabbitMQServer) *amqp091.Channel {
	t.Helper()
	conn, err := amqp091.Dial(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return ch
}
