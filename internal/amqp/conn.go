package amqp

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// closeTimeout is how long Close waits for the broker to say goodbye.
const closeTimeout = time.Second

// ErrLost: the connection has ended.
var ErrLost = errors.New("amqp: connection lost")

// Conn is a connection to the broker, until it ends.
type Conn struct {
	broker     *Broker
	node       string // where it leads
	connection *amqp091.Connection
	socket     *socket
	done       chan struct{}
	unwanted   atomic.Bool // this side has ended it

	mu      sync.Mutex
	blocked chan struct{} // closed while the broker takes no messages from this connection
	active  bool          // whether blocked is closed
	err     error         // why it ended
}

// watch returns the Conn of an open connection to a node, and follows what becomes of it.
func (b *Broker) watch(connection *amqp091.Connection, s *socket, node string) *Conn {
	c := &Conn{broker: b, node: node, connection: connection, socket: s, done: make(chan struct{}), blocked: make(chan struct{})}
	// Both have room: the library waits for whoever listens, and it may tell of the end before
	// this goroutine has come to read.
	ended := connection.NotifyClose(make(chan *amqp091.Error, 1))
	blocked := connection.NotifyBlocked(make(chan amqp091.Blocking, 4))
	go func() {
		for {
			select {
			case notice, ok := <-blocked:
				if !ok {
					blocked = nil
					continue
				}
				c.setBlocked(notice.Active)
			case reason := <-ended:
				// The library's shutdown waits for whoever is in a write, and closes the socket
				// only then.
				_ = s.Close()
				if !c.unwanted.Load() {
					b.giveUp(node) // it may be dead, or cut off
				}
				b.o.Monitor.Ended()
				c.end(reason)
				return
			}
		}
	}()
	return c
}

func (c *Conn) end(reason *amqp091.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = ErrLost
	if reason != nil {
		c.err = errors.Join(ErrLost, reason)
	}
	close(c.done)
}

func (c *Conn) setBlocked(active bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if active == c.active {
		return
	}
	c.active = active
	if active {
		close(c.blocked)
	} else {
		c.blocked = make(chan struct{})
	}
}

// Done returns a channel that is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection has ended, or nil.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Blocked returns a channel that is closed while the broker takes no messages from this connection
// because it runs out of memory or disk. The broker says so only to those that publish, after the
// first message.
func (c *Conn) Blocked() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocked
}

func (c *Conn) isBlocked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active
}

// Heartbeat returns the interval that was agreed with the broker.
func (c *Conn) Heartbeat() time.Duration { return c.connection.Config.Heartbeat }

// Channel opens a channel. As all exchanges with the broker it waits until the connection ends:
// see Do.
func (c *Conn) Channel() (*amqp091.Channel, error) { return c.connection.Channel() }

// Do runs exchanges with the broker, and ends the connection where ctx ends first: the library
// waits for the answers without a limit.
func (c *Conn) Do(ctx context.Context, exchange func() error) error {
	stop := context.AfterFunc(ctx, c.Abort)
	err := exchange()
	if !stop() {
		return ctx.Err()
	}
	return err
}

// GiveUp aborts the connection to a node that does not do what it should, and makes the next
// connections lead to other nodes for a while, where there are any.
func (c *Conn) GiveUp() {
	c.broker.doubt(c.node, true)
	c.Abort()
}

// Abort drops the connection without a word to the broker, which sees its end when the network
// tells it.
func (c *Conn) Abort() {
	c.unwanted.Store(true)
	_ = c.socket.Close()
}

// Close ends the connection, and waits a short time for the broker to have noticed.
func (c *Conn) Close() {
	c.unwanted.Store(true)
	// A broker that is short of memory does not read it, and each heartbeat moves the library's deadline.
	limit := time.AfterFunc(closeTimeout, c.Abort)
	defer limit.Stop()
	// An error means that it had ended, or that the broker did not answer: it is gone either way.
	_ = c.connection.CloseDeadline(time.Now().Add(closeTimeout))
	c.Abort()
	<-c.done
}
