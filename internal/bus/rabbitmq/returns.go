package rabbitmq

import (
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

const (
	// triesHeader counts how often a reply has come back.
	triesHeader = "tries"
	// mostTries and firstPause, which doubles, make 2.5 s in all.
	mostTries  = 8
	firstPause = 10 * time.Millisecond
)

// publishReply publishes a reply so that it comes back where there is no queue for it.
func publishReply(out *amqp091.Channel, exchange, queue string, m amqp091.Publishing) error {
	return out.Publish(exchange, queue, true, false, m)
}

// sendReturned sends replies that have come back once more, a little later. In a cluster a node may
// learn of a caller's new queue only after the request that names it has been answered there: a
// reply that is dropped then is lost to a caller who waits. Where the caller is gone it is given up.
// It ends with the channel, which the broker closes where the exchange is gone: the next session
// declares it.
func (s *session) sendReturned(returns <-chan amqp091.Return) {
	for r := range returns {
		tries, _ := r.Headers[triesHeader].(int64)
		if tries == mostTries {
			continue
		}
		time.AfterFunc(firstPause<<tries, func() {
			// Where it fails the session is lost, and the next one sends what this one has sent last.
			_ = publishReply(s.out, r.Exchange, r.RoutingKey, amqp091.Publishing{
				Type: r.Type, CorrelationId: r.CorrelationId, Body: r.Body, DeliveryMode: amqp091.Transient,
				Headers: amqp091.Table{triesHeader: tries + 1},
			})
		})
	}
	s.abort()
}
