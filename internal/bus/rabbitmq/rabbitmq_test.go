package rabbitmq_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus/rabbitmq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRabbitMQ runs everything on one broker: starting it takes longer than most tests.
func TestRabbitMQ(t *testing.T) {
	broker := amqptest.Start(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, amqptest.Broker)
	}{
		{"conformance", func(t *testing.T, b amqptest.Broker) { conformance(t, b, false, 250) }},
		{"conformance of replicated queues", func(t *testing.T, b amqptest.Broker) { conformance(t, b, true, 250) }},
		{"conformance of requests that gather", func(t *testing.T, b amqptest.Broker) { conformance(t, b, false, 0) }},
		{"requests that gather go together", together},
		{"one of them is slow", oneIsSlow},
		{"they come again together", comesAgain},
		{"they go back together", halfReceived},
		{"they expire alone", expiresAlone},
		{"writes wait in memory first", waitInMemory},
		{"an earlier worker gets writes where it looks for them", earlierWorker},
		{"an earlier worker follows a new one", earlierFollows},
		{"the queue that counts is deleted while writes wait in memory", countingQueueDeleted},
		{"a connection is cut in the middle of a publish", cutMidPublish},
		{"a connection ends before the other is there", halfConnected},
		{"a reply is lost with its connection", replyLost},
		{"a reply is ahead of the caller's queue", replyAhead},
		{"a network that stalls holds nobody beyond the deadline", stalled},
		{"one of two addresses is dead", deadAddress},
		{"a node confirms nothing", unconfirmed},
		{"a delivery is lost on a live connection", deliveryLost},
		{"a reply is lost on a live connection", replyDropped},
		{"a queue is deleted", queueDeleted},
		{"an exchange is deleted", exchangeDeleted},
		{"only some queues", onlySome},
		{"a queue of another kind is in the way", mismatch},
		{"an expendable queue of another kind is replaced", replaced},
		{"an idle connection is made anew", idleRedial},
		{"the broker runs out of memory", memoryAlarm},
		{"the broker is paused", paused},
		{"the broker is killed and starts again", restarted},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, broker) })
	}
}

// queues are the names of all queues behind the prefix.
var queues = []string{"writes", "writes.first", "reads", "control", "writes.dead"}

// at returns the options for a bus with queues of its own.
func at(t testing.TB, broker amqptest.Broker) rabbitmq.Options {
	return rabbitmq.Options{
		Broker: amqp.Options{URL: broker.URL, Heartbeat: time.Second},
		Prefix: broker.Prefix(t, queues...),
	}
}

func newBus(t testing.TB, o rabbitmq.Options) *rabbitmq.Bus {
	t.Helper()
	b, err := rabbitmq.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}
