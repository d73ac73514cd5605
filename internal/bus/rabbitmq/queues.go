package rabbitmq

import (
	"fmt"
	"slices"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// firstWait is how long a write waits for a consumer of the first queue, in ms, before it is moved to the queue of the
// writes, which workers of every version consume.
const firstWait = 2000

// deadLetterLimit is how many dead letters are kept, the newest ones.
const deadLetterLimit = 10_000

// queue returns the name of the queue at the broker.
func (o Options) queue(q bus.Queue) (string, error) {
	if !slices.Contains(o.Queues, q) {
		return "", fmt.Errorf("bus: no queue %q", q)
	}
	return o.Prefix + string(q), nil
}

// requests is the name of the exchange through which calls come to the queue. Only callers may
// publish to it: this, and not the queue, is what the broker asks for permission.
func (o Options) requests(q bus.Queue) string { return o.Prefix + string(q) + ".requests" }

// replies is the name of the exchange through which the queue's consumers reply. The callers bind
// the queues that they take replies from.
func (o Options) replies(q bus.Queue) string { return o.Prefix + string(q) + ".replies" }

// deadLetters is the queue of writes that were delivered bus.DeliveryLimit times.
func (o Options) deadLetters() amqp.Queue {
	return amqp.Queue{Name: o.Prefix + string(bus.Writes) + ".dead", Arguments: amqp091.Table{
		"x-queue-type": "quorum",
		"x-max-length": int64(deadLetterLimit),
	}}
}

// deadLettersExchange is the name of the exchange through which they come.
func (o Options) deadLettersExchange() string { return o.deadLetters().Name + ".letters" }

// firstQueue is where writes come first if there is one broker. The log has what they write, and their callers
// publish them again after a loss, so nothing waits for a disk here. It does not count deliveries, though: a
// write that comes a second time is moved to the queue of the writes, which does.
// See docs/decisions/0029-writes-wait-in-memory.md.
func (o Options) firstQueue() amqp.Queue {
	return amqp.Queue{Name: o.Prefix + string(bus.Writes) + ".first", Expendable: true, Arguments: amqp091.Table{
		"x-queue-type":              "classic",
		"x-dead-letter-exchange":    o.againExchange(),
		"x-dead-letter-routing-key": o.Prefix + string(bus.Writes),
		"x-message-ttl":             int64(firstWait),
		"x-max-length":              int64(o.Writes),
		"x-overflow":                "reject-publish",
	}}
}

// againExchange is the name of the exchange through which they go there.
func (o Options) againExchange() string { return o.Prefix + string(bus.Writes) + ".again" }

// declaration returns the queue as it has to be.
func (o Options) declaration(q bus.Queue) amqp.Queue {
	switch q {
	case bus.Reads:
		return o.transient(q, o.Reads)
	case bus.Control:
		return o.transient(q, o.Control)
	default:
		return o.writes()
	}
}

func (o Options) writes() amqp.Queue {
	return amqp.Queue{Name: o.Prefix + string(bus.Writes), Arguments: amqp091.Table{
		"x-queue-type": "quorum",
		// The broker counts the deliveries that failed, and drops the message when there are
		// more than the limit. Version 4 has a limit of 20 where none is given.
		"x-delivery-limit":          int64(bus.DeliveryLimit - 1),
		"x-dead-letter-exchange":    o.deadLettersExchange(),
		"x-dead-letter-routing-key": o.deadLetters().Name,
		"x-dead-letter-strategy":    "at-least-once", // needs reject-publish
		"x-max-length":              int64(o.Writes),
		"x-overflow":                "reject-publish",
	}}
}

// transient is a queue whose messages expire with their callers. A classic queue lives on one node,
// and is away when that is; a quorum queue waits for the disks of most of its nodes.
func (o Options) transient(q bus.Queue, limit int) amqp.Queue {
	arguments := amqp091.Table{
		"x-queue-type": "classic",
		"x-max-length": int64(limit),
		"x-overflow":   "reject-publish",
	}
	if o.Replicated {
		arguments["x-queue-type"] = "quorum"
		arguments["x-delivery-limit"] = int64(bus.DeliveryLimit - 1) // as above: the deadline ends it before
	}
	return amqp.Queue{Name: o.Prefix + string(q), Arguments: arguments, Expendable: true}
}
