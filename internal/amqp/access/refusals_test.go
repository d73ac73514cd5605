package access_test

import (
	"slices"
	"testing"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// rights are what a user may do, by name. Whatever is not here must be refused.
type rights struct{ configure, write, read []string }

var (
	requests = []string{"rideshare.writes.requests", "rideshare.reads.requests", "rideshare.control.requests"}
	replies  = []string{"rideshare.writes.replies", "rideshare.reads.replies", "rideshare.control.replies"}
	served   = []string{"rideshare.writes", "rideshare.reads", "rideshare.control"}
)

func rightsOf(user, replyQueue string) rights {
	return map[string]rights{
		orchestrator: {
			configure: slices.Concat(served, requests, replies, []string{"rideshare.writes.again", "rideshare.writes.dead", "rideshare.writes.dead.letters", replyQueue}),
			write:     slices.Concat(served, requests, []string{"rideshare.writes.first", "rideshare.writes.dead", replyQueue}),
			read:      slices.Concat(requests, replies, []string{"rideshare.writes.again", "rideshare.writes.dead.letters", replyQueue}),
		},
		worker: {
			configure: []string{"rideshare.writes", "rideshare.writes.first", "rideshare.reads", "rideshare.writes.replies", "rideshare.reads.replies", "rideshare.sync", "rideshare.sync.entries"},
			write:     []string{"rideshare.writes.replies", "rideshare.reads.replies", "rideshare.writes.again", "rideshare.writes.dead.letters", "rideshare.sync", "rideshare.sync.entries"},
			read:      []string{"rideshare.writes", "rideshare.writes.first", "rideshare.reads", "rideshare.sync", "rideshare.sync.entries"},
		},
		watcher: {
			configure: []string{"rideshare.control", "rideshare.control.replies"},
			write:     []string{"rideshare.control.replies"},
			read:      []string{"rideshare.control"},
		},
	}[user]
}

// act is an operation, with the names that it takes permissions for.
type act struct {
	what  string
	needs rights
	do    func(*amqp091.Channel) error
}

func (r rights) allow(needs rights) bool {
	return subset(needs.configure, r.configure) && subset(needs.write, r.write) && subset(needs.read, r.read)
}

func subset(of, set []string) bool {
	return !slices.ContainsFunc(of, func(name string) bool { return !slices.Contains(set, name) })
}

// refusals tries everything with every queue and exchange.
func refusals(t *testing.T, s site, user, replyQueue string) {
	conn := s.as(t, user)
	may := rightsOf(user, replyQueue)
	refused := 0
	for _, a := range acts(replyQueue) {
		if may.allow(a.needs) {
			continue
		}
		refused++
		if code := attempt(t, conn, a.do); code != amqp091.AccessRefused {
			t.Errorf("%s: the answer was %d, want %d", a.what, code, amqp091.AccessRefused)
		}
	}
	if refused < 200 {
		t.Errorf("only %d operations were tried", refused)
	}
	t.Logf("%d operations were refused", refused)
}

// acts are everything that can be done. The broker's own exchanges, and names that are nearly those
// of something, are nobody's.
func acts(replyQueue string) []act {
	near := []string{"rideshare.writes.other", "a.rideshare.writes", "rideshare.writes.requests.b", "rideshare_writes", "rideshare.responses.a.b"}
	queues := slices.Concat(served, near, []string{"rideshare.writes.first", "rideshare.writes.dead", "rideshare.sync", replyQueue})
	exchanges := slices.Concat(requests, replies, near, []string{
		"rideshare.writes.again", "rideshare.writes.dead.letters", "rideshare.sync.entries", "amq.direct", "amq.fanout", "amq.topic", "amq.headers",
	})
	var all []act
	for _, q := range queues {
		all = append(all, act{"to publish to " + q + " by the default exchange", rights{write: []string{"amq.default"}}, publish("", q)})
		all = append(all, onQueue(q)...)
		for _, e := range exchanges {
			all = append(all,
				act{"to bind " + q + " to " + e, rights{write: []string{q}, read: []string{e}}, bind(q, e)},
				act{"to unbind " + q + " from " + e, rights{write: []string{q}, read: []string{e}}, unbind(q, e)})
		}
	}
	for _, e := range exchanges {
		all = append(all, onExchange(e, replyQueue)...)
		for _, source := range exchanges {
			all = append(all, act{"to let " + source + " feed " + e, rights{write: []string{e}, read: []string{source}}, feed(e, source)})
		}
	}
	return all
}

func onQueue(q string) []act {
	name := []string{q}
	return []act{
		{"to declare " + q, rights{configure: name}, func(ch *amqp091.Channel) error {
			_, err := ch.QueueDeclare(q, true, false, false, false, nil)
			return err
		}},
		{"to delete " + q, rights{configure: name}, func(ch *amqp091.Channel) error {
			_, err := ch.QueueDelete(q, false, false, false)
			return err
		}},
		{"to purge " + q, rights{read: name}, func(ch *amqp091.Channel) error {
			_, err := ch.QueuePurge(q, false)
			return err
		}},
		{"to consume " + q, rights{read: name}, func(ch *amqp091.Channel) error {
			_, err := ch.Consume(q, "", false, false, false, false, nil)
			return err
		}},
		{"to get from " + q, rights{read: name}, func(ch *amqp091.Channel) error {
			_, _, err := ch.Get(q, false)
			return err
		}},
	}
}

func onExchange(e, replyQueue string) []act {
	name := []string{e}
	return []act{
		{"to publish to " + e, rights{write: name}, publish(e, "rideshare.writes")},
		{"to reply by " + e, rights{write: name}, publish(e, replyQueue)},
		{"to declare " + e, rights{configure: name}, func(ch *amqp091.Channel) error {
			return ch.ExchangeDeclare(e, amqp091.ExchangeFanout, true, false, false, false, nil)
		}},
		{"to delete " + e, rights{configure: name}, func(ch *amqp091.Channel) error {
			return ch.ExchangeDelete(e, false, false)
		}},
	}
}

func publish(exchange, key string) func(*amqp091.Channel) error {
	return func(ch *amqp091.Channel) error {
		return ch.Publish(exchange, key, false, false, amqp091.Publishing{Body: []byte("forged")})
	}
}

func bind(queue, exchange string) func(*amqp091.Channel) error {
	return func(ch *amqp091.Channel) error { return ch.QueueBind(queue, queue, exchange, false, nil) }
}

func unbind(queue, exchange string) func(*amqp091.Channel) error {
	return func(ch *amqp091.Channel) error { return ch.QueueUnbind(queue, queue, exchange, nil) }
}

func feed(exchange, source string) func(*amqp091.Channel) error {
	return func(ch *amqp091.Channel) error {
		return ch.ExchangeBind(exchange, "rideshare.writes", source, false, nil)
	}
}

// foreignReplies: one orchestrator cannot take the replies of another, whose queue is exclusive.
func foreignReplies(t *testing.T, s site, replyQueue string) {
	conn := s.as(t, orchestrator)
	for _, a := range append(onQueue(replyQueue), act{what: "to bind", do: bind(replyQueue, replies[0])}) {
		if code := attempt(t, conn, a.do); code != amqp091.ResourceLocked {
			t.Errorf("%s: the answer was %d, want %d", a.what, code, amqp091.ResourceLocked)
		}
	}
}
