package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// Dial connects to a node of the broker, and returns when the connection can be used.
func Dial(ctx context.Context, b *Broker) (*Conn, error) {
	return Connect(ctx, b, func(ctx context.Context, dial Dialer) (*Conn, error) { return dial(ctx) }, (*Conn).Abort)
}

// dial connects to a node.
func (b *Broker) dial(ctx context.Context, node string) (*Conn, error) {
	o := b.o
	ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()
	var s *socket
	interrupt := func() bool { return true }
	properties := amqp091.NewConnectionProperties()
	properties.SetClientConnectionName(o.Name)
	connection, err := amqp091.DialConfig(node, amqp091.Config{
		Heartbeat:  o.Heartbeat,
		Properties: properties,
		Dial: func(network, addr string) (net.Conn, error) {
			conn, err := o.Dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			s = newSocket(conn, o.WriteTimeout)
			// The library's handshake waits as long as its socket does.
			interrupt = context.AfterFunc(ctx, func() { _ = conn.Close() })
			return s, nil
		},
	})
	if ended := !interrupt(); ended {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		if s != nil {
			_ = s.Close() // the library leaves it open after some errors
		}
		if !errors.Is(ctx.Err(), context.Canceled) { // another node was faster
			o.Monitor.Failed()
		}
		return nil, fmt.Errorf("amqp: cannot connect: %w", err)
	}
	o.Monitor.Connected()
	return b.watch(connection, s, node), nil
}
