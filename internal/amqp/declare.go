package amqp

import (
	"errors"
	"fmt"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// ErrMismatch: a queue or an exchange exists, but is not what this program needs. Trying again does
// not help.
var ErrMismatch = errors.New("amqp: it exists with other arguments")

// Queue is a queue as it has to be: durable and shared.
type Queue struct {
	Name      string
	Arguments amqp091.Table
	// Expendable: what is in it is of no value to those who do not wait for it. One with other
	// arguments, as an earlier version has left it, is replaced when it is empty and unused.
	Expendable bool
}

// Declare creates the queues that do not exist, and returns the channel that it has opened for it.
func Declare(c *Conn, queues ...Queue) (*amqp091.Channel, error) {
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		err := declare(ch, q)
		if q.Expendable && errors.Is(err, ErrMismatch) {
			ch, err = replace(c, q, err)
		}
		if err != nil {
			return nil, err
		}
	}
	return ch, nil
}

// declare declares one. An error takes the channel with it.
func declare(ch *amqp091.Channel, q Queue) error {
	_, err := ch.QueueDeclare(q.Name, true, false, false, false, q.Arguments)
	var refusal *amqp091.Error
	if errors.As(err, &refusal) && refusal.Code == amqp091.PreconditionFailed {
		// The broker's text says which argument, what it is and what it should be.
		return fmt.Errorf("%w: queue %s: %s; change the configuration back, or move its messages away and delete it",
			ErrMismatch, q.Name, refusal.Reason)
	}
	if err != nil {
		return fmt.Errorf("amqp: queue %s: %w", q.Name, err)
	}
	return nil
}

// Refused reports whether a declaration has failed because the broker does not allow it, or as something else is
// there.
func Refused(err error) bool {
	var refusal *amqp091.Error
	return errors.Is(err, ErrMismatch) || errors.As(err, &refusal) && refusal.Code == amqp091.AccessRefused
}

// DeclareExchange creates a durable exchange, where it does not exist, that sends a message to the
// queues which are bound with its routing key. An error takes the channel with it.
func DeclareExchange(ch *amqp091.Channel, name string) error {
	err := ch.ExchangeDeclare(name, amqp091.ExchangeDirect, true, false, false, false, nil)
	var refusal *amqp091.Error
	if errors.As(err, &refusal) && refusal.Code == amqp091.PreconditionFailed {
		return fmt.Errorf("%w: exchange %s: %s; delete it", ErrMismatch, name, refusal.Reason)
	}
	if err != nil {
		return fmt.Errorf("amqp: exchange %s: %w", name, err)
	}
	return nil
}

// Bind lets messages with the queue's name as routing key go from the exchange, which it declares,
// into the queue. An error takes the channel with it.
func Bind(ch *amqp091.Channel, exchange, queue string) error {
	if err := DeclareExchange(ch, exchange); err != nil {
		return err
	}
	if err := ch.QueueBind(queue, queue, exchange, false, nil); err != nil {
		return fmt.Errorf("amqp: binding queue %s to exchange %s: %w", queue, exchange, err)
	}
	return nil
}

// replace deletes the queue that is in the way and declares the one that has to be, on a channel of
// its own. It returns the mismatch where the broker refuses: somebody uses it, or there are messages
// in it. A quorum queue cannot be deleted on these conditions: it is the mismatch, unless it is
// a quorum queue that is wanted. Then another client has just declared it, and the next try finds it.
func replace(c *Conn, q Queue, mismatch error) (*amqp091.Channel, error) {
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	_, err = ch.QueueDelete(q.Name, true, true, false)
	var refusal *amqp091.Error
	switch {
	case err == nil:
		return ch, declare(ch, q)
	case errors.As(err, &refusal) && (refusal.Code == amqp091.PreconditionFailed ||
		refusal.Code == amqp091.NotImplemented && q.Arguments["x-queue-type"] != "quorum"):
		return nil, mismatch
	default:
		return nil, fmt.Errorf("amqp: replacing queue %s: %w", q.Name, err)
	}
}
