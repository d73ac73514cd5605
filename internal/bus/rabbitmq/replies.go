package rabbitmq

import (
	"context"
	"sync"

	"github.com/google/uuid"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

// replies is what a session needs for calls: a publisher, and the queue that the replies come to.
// The queue is exclusive: it goes with its connection.
type replies struct {
	calls     *calls
	queue     string
	publisher *amqp.Publisher
	outboxes  map[bus.Queue]*outbox
	first     sync.Once // somebody who replies takes writes from the first queue
}

// prepareCalls makes the session fit for calls.
func (s *session) prepareCalls(ctx context.Context) error {
	r := &replies{calls: &s.bus.calls, queue: s.bus.o.Prefix + "responses." + uuid.NewString(), outboxes: map[bus.Queue]*outbox{}}
	for _, q := range s.bus.o.Queues {
		r.outboxes[q] = s.outbox(q)
	}
	if err := s.consuming.Do(ctx, func() error { return r.receive(s) }); err != nil {
		return err
	}
	err := s.publishing.Do(ctx, func() (err error) {
		r.publisher, err = amqp.NewPublisher(s.publishing)
		return err
	})
	if err != nil {
		return err
	}
	s.replies = r
	s.callable.Store(true)
	return nil
}

func (r *replies) receive(s *session) error {
	ch, err := bindRequests(s.consuming, s.bus.o)
	if err != nil {
		return err
	}
	if _, err := ch.QueueDeclare(r.queue, false, false, true, false, nil); err != nil {
		return err
	}
	for _, q := range s.bus.o.Queues {
		if err := amqp.Bind(ch, s.bus.o.replies(q), r.queue); err != nil {
			return err
		}
	}
	deliveries, err := ch.Consume(r.queue, "", true, true, false, false, nil)
	if err != nil {
		return err
	}
	s.bus.run(func() {
		for d := range deliveries {
			s.touch()
			if d.AppId == takesFirst && d.Exchange == s.bus.o.replies(bus.Writes) && s.bus.o.IdleRedial == 0 {
				r.first.Do(func() { s.bus.run(func() { r.useFirst(s) }) })
			}
			r.take(d)
		}
		s.abort() // where only the queue is gone, no reply would ever come
	})
	return nil
}

// take hands over the reply that the message carries, or the replies. What is damaged answers nobody.
func (r *replies) take(m amqp091.Delivery) {
	if m.Type != frameType {
		r.calls.answer(m.Exchange, m.CorrelationId, m.Body)
		return
	}
	parts, err := decodeFrame(m.Body)
	if err != nil {
		return
	}
	for _, p := range parts {
		r.calls.answer(m.Exchange, p.correlation, p.body)
	}
}

// useFirst lets writes go to the first queue from now on. Until then they go to the queue of the writes, which
// earlier workers consume, too. Where it fails they still do. Not under Lambda (IdleRedial), where a sandbox may sleep
// in the middle of it, and has few requests.
func (r *replies) useFirst(s *session) {
	first, box := s.bus.firstOf(bus.Writes), r.outboxes[bus.Writes]
	if first == nil || box == nil {
		return
	}
	if err := s.bindFirst(first.Name); err != nil {
		s.bus.o.Logger.Warn("writes wait for the broker's disk", "why", err)
		return
	}
	box.first.Store(&first.Name)
}

// bindFirst binds the first queue, and the queue of the writes to what comes from there.
func (s *session) bindFirst(first string) error {
	o := s.bus.o
	return s.exchange(func() error {
		ch, err := s.consuming.Channel()
		if err != nil {
			return err
		}
		if err := amqp.Bind(ch, o.againExchange(), o.Prefix+string(bus.Writes)); err != nil {
			return err
		}
		if err := amqp.Bind(ch, o.requests(bus.Writes), first); err != nil {
			return err
		}
		return ch.Close()
	})
}

// usesFirst reports whether writes go to the first queue.
func (s *session) usesFirst() bool {
	return s.callable.Load() && s.replies.outboxes[bus.Writes].first.Load() != nil
}

// bindRequests binds the queues to what calls, and the dead letters of writes, come by. It returns
// the channel that it has opened for it.
func bindRequests(c *amqp.Conn, o Options) (*amqp091.Channel, error) {
	var dead []amqp.Queue
	bindings := map[string]string{} // queue by exchange
	for _, q := range o.Queues {
		bindings[o.requests(q)] = o.Prefix + string(q)
		if q == bus.Writes {
			dead = append(dead, o.deadLetters())
			bindings[o.deadLettersExchange()] = o.deadLetters().Name
		}
	}
	ch, err := amqp.Declare(c, dead...)
	if err != nil {
		return nil, err
	}
	for exchange, queue := range bindings {
		if err := amqp.Bind(ch, exchange, queue); err != nil {
			return nil, err
		}
	}
	return ch, nil
}
