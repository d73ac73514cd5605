package dockertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"
)

const amqpPort = 5672

// RabbitMQServer is a RabbitMQ with one administrator.
type RabbitMQServer struct {
	*Container
	User, Password string
}

// RabbitMQ starts a RabbitMQ, and waits until it answers. Its data survive Kill; with Options.Mounts of
// Volume(t)+":/var/lib/rabbitmq" they survive the container too.
func RabbitMQ(t testing.TB, change ...func(*Options)) *RabbitMQServer {
	t.Helper()
	s := &RabbitMQServer{User: "rideshare", Password: rand.Text()}
	o := Options{
		Service:  "rabbitmq",
		Hostname: "rabbitmq", // the data belong to a node of this name
		Env: map[string]string{
			"RABBITMQ_DEFAULT_USER":               s.User,
			"RABBITMQ_DEFAULT_PASS":               s.Password,
			"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2", // two schedulers, however large the machine is
		},
		Ports: []int{amqpPort},
		Ping:  pingRabbitMQ,
	}
	for _, f := range change {
		f(&o)
	}
	s.Container = Start(t, o)
	s.Await(t)
	return s
}

// URL is the address in the form amqp://user:password@host:port/.
func (s *RabbitMQServer) URL() string {
	return fmt.Sprintf("amqp://%s:%s@%s/", s.User, s.Password, s.Addr(amqpPort))
}

// pingRabbitMQ opens the protocol and waits for Connection.Start.
func pingRabbitMQ(ctx context.Context, c *Container) error {
	conn, err := c.dial(ctx, amqpPort)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	if _, err := conn.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return err
	}
	var frame [11]byte // type, channel, size, class and method
	if _, err := io.ReadFull(conn, frame[:]); err != nil {
		return err
	}
	if frame[0] != 1 || frame[8] != 10 || frame[10] != 10 {
		return errors.New("rabbitmq does not speak AMQP 0.9.1")
	}
	return nil
}
