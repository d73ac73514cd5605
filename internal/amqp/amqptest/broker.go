package amqptest

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/dockertest"
)

// Broker is a RabbitMQ that a test may do anything to.
type Broker struct {
	URL string
	*dockertest.Container
}

// Start starts a broker, which ends with the test. Where there is no Docker engine the test is
// skipped, unless CI=true says that it must run.
func Start(t testing.TB) Broker {
	t.Helper()
	s := dockertest.RabbitMQ(t, func(o *dockertest.Options) {
		delete(o.Env, "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS") // benchmarks want all schedulers
	})
	return Broker{URL: s.URL(), Container: s.Container}
}

// Addr is the broker's host and port.
func (b Broker) Addr() string {
	u, err := url.Parse(b.URL)
	if err != nil {
		panic(err)
	}
	return u.Host
}

// Via returns the broker's URL with other addresses, separated by commas.
func (b Broker) Via(addrs ...string) string {
	return strings.Replace(b.URL, b.Addr(), strings.Join(addrs, ","), 1)
}

// Prefix returns a prefix for the names of queues that no other test uses, and deletes those queues
// of it when the test ends.
func (b Broker) Prefix(t testing.TB, queues ...string) string {
	prefix := "test." + uuid.NewString()[:8] + "."
	t.Cleanup(func() {
		for _, q := range queues {
			b.Delete(t, prefix+q)
		}
	})
	return prefix
}

// Delete deletes a queue, whether it exists or not.
func (b Broker) Delete(t testing.TB, queue string) {
	t.Helper()
	b.Do(t, func(ch *amqp091.Channel) error {
		_, err := ch.QueueDelete(queue, false, false, false)
		return err
	})
}

// Messages returns how many messages wait in a queue, none where there is no queue.
func (b Broker) Messages(t testing.TB, queue string) int {
	t.Helper()
	n := 0
	b.Do(t, func(ch *amqp091.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		n = q.Messages
		var refusal *amqp091.Error
		if errors.As(err, &refusal) && refusal.Code == amqp091.NotFound {
			return nil
		}
		return err
	})
	return n
}

// Do runs something on a channel of its own.
func (b Broker) Do(t testing.TB, f func(*amqp091.Channel) error) {
	t.Helper()
	c, err := amqp091.Dial(b.URL)
	if err != nil {
		t.Errorf("broker: %v", err)
		return
	}
	defer c.Close() //nolint:errcheck // nothing depends on it
	ch, err := c.Channel()
	if err == nil {
		err = f(ch)
	}
	if err != nil {
		t.Errorf("broker: %v", err)
	}
}

// Alarm makes the broker believe that it has no memory left, until the function that it returns
// is called, or the test ends.
func (b Broker) Alarm(t testing.TB) (release func()) {
	t.Helper()
	b.Exec(t, "rabbitmqctl", "set_vm_memory_high_watermark", "0.00001")
	release = sync.OnceFunc(func() { b.Exec(t, "rabbitmqctl", "set_vm_memory_high_watermark", "0.6") })
	t.Cleanup(release)
	return release
}
