package rabbitmq

import (
	"bytes"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

const (
	// sentRoom is how many bytes of replies are remembered.
	sentRoom = 4 << 20
	// sentAge is how many heartbeats before the end of a session its replies may have been lost: a
	// connection that carries nothing any more is noticed before.
	sentAge = 3
)

// sent remembers the last replies, to send them again when the session is lost: they go without
// confirms, so any that was on its way may be gone. The acknowledgement of the request, on the
// other connection, may have arrived all the same, and then nobody else would ever answer it. A
// caller that has its reply ignores the second.
type sent struct {
	mu      sync.Mutex
	replies []sentReply
	size    int
}

type sentReply struct {
	exchange, queue string
	m               amqp091.Publishing
	at              time.Time
}

// remember keeps a copy of a reply.
func (s *sent) remember(exchange, queue string, m amqp091.Publishing) {
	m.Body = bytes.Clone(m.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = append(s.replies, sentReply{exchange, queue, m, time.Now()})
	s.size += weight(m)
	for s.size > sentRoom {
		s.size -= weight(s.replies[0].m)
		s.replies[0] = sentReply{}
		s.replies = s.replies[1:]
	}
}

// weight is what a reply counts, roughly with all that belongs to it.
func weight(m amqp091.Publishing) int { return 500 + len(m.Body) }

// again publishes those that were sent after that time.
func (s *sent) again(out *amqp091.Channel, since time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replies {
		if r.at.Before(since) {
			continue
		}
		if err := publishReply(out, r.exchange, r.queue, r.m); err != nil {
			return err
		}
	}
	return nil
}
