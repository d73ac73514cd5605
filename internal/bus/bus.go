// Package bus carries requests to whoever can serve them, and replies back: three queues, at
// least once, with the caller waiting for the reply.
//
// The implementations are memory (one process) and rabbitmq. bustest is the suite that each must
// pass; where a comment here and the suite say the same, that is on purpose.
package bus

import (
	"context"
	"errors"
	"time"
)

// Queue is one of the queues.
type Queue string

const (
	// Writes holds write requests; consumed by the master alone. A message leaves it only when it is acknowledged,
	// or dead-lettered after about DeliveryLimit deliveries. A single broker keeps waiting writes in memory and
	// loses them if it stops; callers that still wait publish again.
	Writes Queue = "writes"
	// Reads holds read requests. A message whose caller's deadline has passed is dropped.
	Reads Queue = "reads"
	// Control holds requests to the leading watcher. As Reads, messages expire.
	Control Queue = "control"
)

// DeliveryLimit is how often a message of Writes is delivered, give or take one, before it is dead-lettered: many
// more than masters can die while it waits, and few enough that a message that kills its consumer
// does not do so for ever.
const DeliveryLimit = 100

var (
	// ErrUnavailable: the broker cannot be reached or takes no messages now. The request may have
	// been published: retry under the same id.
	ErrUnavailable = errors.New("bus: broker unavailable")
	// ErrFull: the queue is full and rejected the request. It was not published.
	ErrFull = errors.New("bus: queue is full")
	// ErrClosed: this end of the bus was closed.
	ErrClosed = errors.New("bus: closed")
)

// Request is a message to a queue.
type Request struct {
	// ID identifies the request over retries and redeliveries. Required for Writes.
	ID string
	// Body is only read by whoever receives it: it may be delivered again. Call has done with it
	// when it returns.
	Body []byte
	// Digest is the digest of the request that the body was made from. It distinguishes a retry from
	// another request with the same ID. URL-safe base64 (RFC 4648), or empty.
	Digest string
	// Trace carries the trace context (W3C traceparent), or is empty.
	Trace string
}

// Bus is one connection to the broker. Its methods may be called concurrently.
type Bus interface {
	// Call publishes the request to the queue and waits for the reply. Where the connection is
	// lost while it waits it publishes again, under the same id. It returns ctx.Err() when the
	// deadline passes, ErrFull, ErrUnavailable or ErrClosed. A message of Reads or Control expires
	// in the queue with the deadline of ctx; one of Writes does not, and may be executed after
	// Call has returned.
	Call(ctx context.Context, q Queue, r Request) ([]byte, error)
	// Consume starts to take messages from the queue.
	Consume(ctx context.Context, q Queue, o ConsumeOptions) (Consumer, error)
	// Inspect returns what the queue holds now.
	Inspect(ctx context.Context, q Queue) (Stats, error)
	// Close gives up every consumer and call. Unacknowledged deliveries go back to their queue.
	Close() error
}

// Stats are the figures of a queue at one moment.
type Stats struct {
	Waiting   int // messages, without those that a consumer holds; requests that are made at once may share one
	Consumers int
}

// ConsumeOptions are the options of Consume.
type ConsumeOptions struct {
	// Prefetch is how many unacknowledged messages the consumer may hold; at least 1. A consumer of Writes may hold
	// twice as many, where new ones and those that were delivered before wait apart.
	Prefetch int
	// Priority: a message goes to a consumer of lower priority only when all those of higher
	// priority hold Prefetch messages.
	Priority int
}

// Consumer is a subscription to a queue.
type Consumer interface {
	// Deliveries returns the channel of deliveries. New ones come in the order of the queue. It is closed when
	// the subscription ends: by Cancel, by Close or by a lost connection.
	Deliveries() <-chan Delivery
	// Cancel ends the subscription; deliveries that were received can still be replied to and
	// acknowledged. Those not yet received go back to the queue.
	Cancel()
	// Close ends the subscription; every delivery that is not acknowledged goes back to the
	// queue, at its old place as far as possible, or behind others in Writes.
	Close()
}

// Delivery is a message in the hands of a consumer.
type Delivery struct {
	Request
	// Redelivered says that some consumer has held it before.
	Redelivered bool
	// Expires is when the caller gives up; zero where it is not known.
	Expires time.Time
	// Published is when the caller published it, by its clock and to the millisecond; zero where it
	// is not known.
	Published time.Time
	// Reply sends the body to the caller. The caller may be gone, which is no error; a second
	// reply to one call is ignored. An error means that the connection is lost.
	Reply func(ctx context.Context, body []byte) error
	// Ack takes the message off the queue for good, once it was called for all requests of the
	// message. An error means that the subscription has lost the message, and that it will be
	// delivered again, or has been. Acknowledging twice is harmless.
	Ack func() error
	// Return gives the message back to its queue, with all requests that came in it. An error means that
	// the subscription has lost it already.
	Return func() error
}
