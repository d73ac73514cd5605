package amqp

import (
	"errors"
	"sync"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

var (
	// ErrUnroutable: no queue is bound for the message, which is gone.
	ErrUnroutable = errors.New("amqp: no such queue is bound")
	// ErrRefused: the broker did not take the message. A queue that is full was left as it was; one
	// that failed may have stored it.
	ErrRefused = errors.New("amqp: the queue refused the message")
)

// returnsRoom is how many returned messages the library may hand over before it waits for a reader.
const returnsRoom = 256

// Publisher publishes to queues by way of exchanges, and finds out what became of each message. It is for concurrent
// use.
type Publisher struct {
	conn     *Conn
	channel  *amqp091.Channel
	returned chan amqp091.Return
	overdue  overdue

	mu         sync.Mutex
	unroutable map[string]bool // correlations of messages that came back
}

// NewPublisher opens a channel for it.
func NewPublisher(c *Conn) (*Publisher, error) {
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	p := &Publisher{conn: c, channel: ch, unroutable: map[string]bool{}, overdue: overdue{conn: c}}
	p.returned = ch.NotifyReturn(make(chan amqp091.Return, returnsRoom))
	return p, ch.Confirm(false)
}

// Confirm is what the broker will say about a message.
type Confirm struct {
	publisher   *Publisher
	correlation string
	deferred    *amqp091.DeferredConfirmation
}

// Publish sends a message to a queue that Bind has bound to the exchange. Its CorrelationId must be
// unlike that of any other message of this publisher. An error leaves it unknown whether the
// message arrived, and the connection of no more use. A message that is not confirmed within the
// AnswerTimeout ends the connection.
func (p *Publisher) Publish(exchange, queue string, m amqp091.Publishing) (Confirm, error) {
	// Mandatory: the broker confirms a message that no queue took.
	deferred, err := p.channel.PublishWithDeferredConfirm(exchange, queue, true, false, m)
	if err != nil {
		p.conn.Abort()
		return Confirm{}, errors.Join(ErrLost, err)
	}
	p.overdue.add(deferred)
	return Confirm{p, m.CorrelationId, deferred}, nil
}

// Done returns a channel that is closed when Err knows.
func (c Confirm) Done() <-chan struct{} { return c.deferred.Done() }

// Err says, after Done, whether the queue has the message: nil, ErrUnroutable, ErrRefused, or
// ErrLost, which means that it is not known.
func (c Confirm) Err() error {
	p := c.publisher
	switch {
	case c.deferred.Acked() && p.cameBack(c.correlation):
		return ErrUnroutable
	case c.deferred.Acked():
		p.conn.broker.proved(p.conn.node)
		return nil
	case p.channel.IsClosed():
		// On a closed channel everything pending reads as refused.
		p.conn.Abort()
		return ErrLost
	default:
		return ErrRefused
	}
}

// cameBack reports whether a message that was confirmed is one that came back. The broker returns
// it before it confirms it, and the library hands both over in this order, so what is to be known
// is in the channel by now.
func (p *Publisher) cameBack(correlation string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		select {
		case m, ok := <-p.returned:
			if !ok {
				return p.unroutable[correlation]
			}
			if len(p.unroutable) > returnsRoom {
				clear(p.unroutable) // those whose publishers did not stay to ask
			}
			p.unroutable[m.CorrelationId] = true
		default:
			back := p.unroutable[correlation]
			delete(p.unroutable, correlation)
			return back
		}
	}
}
