package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/bus"
)

const (
	// setupTimeout is for a new session: the first declaration of a quorum queue takes a while when
	// the broker has just started. Of several nodes the next is tried long before.
	setupTimeout = 10 * time.Second
	// exchangeTimeout is for one exchange with the broker, after which it counts as lost.
	exchangeTimeout = 3 * time.Second
	// returnsRoom is how many replies that come back may wait to be taken note of.
	returnsRoom = 256
)

// session is a pair of connections and what was set up on them, until one of them fails.
type session struct {
	bus        *Bus
	publishing *amqp.Conn
	consuming  *amqp.Conn
	out        *amqp091.Channel // replies go out through it, without confirms
	replies    *replies         // for calls; nil until there are any; the supervisor's
	callable   atomic.Bool      // whether replies can be used

	used    atomic.Int64  // when there was traffic last, in ns by the wall clock
	once    sync.Once     // closes aborted
	aborted chan struct{} // somebody has found it unusable
	ended   chan struct{} // closed when it is over
}

// connect makes a session. It tries the nodes beside each other, see amqp.Connect: both connections
// of a session lead to one node.
func connect(ctx context.Context, b *Bus) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	return amqp.Connect(ctx, b.broker, b.setUp, (*session).abort)
}

// setUp makes a session with the node that dial leads to.
func (b *Bus) setUp(ctx context.Context, dial amqp.Dialer) (*session, error) {
	s := &session{bus: b, aborted: make(chan struct{}), ended: make(chan struct{})}
	var dials sync.WaitGroup // a sandbox that wakes up has its caller waiting: dial both at once
	var publishing, consuming error
	dials.Go(func() { s.publishing, publishing = dial(ctx) })
	dials.Go(func() { s.consuming, consuming = dial(ctx) })
	dials.Wait()
	err := errors.Join(publishing, consuming)
	if err == nil { // what follows may have to abort both
		err = s.publishing.Do(ctx, s.declare)
	}
	if err == nil && b.calling.Load() {
		err = s.prepareCalls(ctx)
	}
	if err != nil {
		s.abort()
		return nil, err
	}
	s.touch()
	return s, nil
}

// declare declares the queues and what replies go through, as a broker may have come back without
// them, and sends again what the last session may have lost.
func (s *session) declare() error {
	o := s.bus.o
	var queues []amqp.Queue
	for _, q := range o.Queues {
		queues = append(queues, o.declaration(q))
	}
	var err error
	if s.out, err = amqp.Declare(s.publishing, queues...); err != nil {
		return err
	}
	for _, q := range o.Queues {
		if err := amqp.DeclareExchange(s.out, o.replies(q)); err != nil {
			return err
		}
	}
	returns := s.out.NotifyReturn(make(chan amqp091.Return, returnsRoom))
	if !s.bus.run(func() { s.sendReturned(returns) }) {
		return bus.ErrClosed
	}
	return s.bus.sent.again(s.out, s.bus.ended.Add(-sentAge*s.publishing.Heartbeat()))
}

// touch notes that there was traffic.
func (s *session) touch() {
	if s.bus.o.IdleRedial > 0 {
		s.used.Store(time.Now().UnixNano())
	}
}

// usable reports whether the session can still be used. Where it was idle for too long it is
// aborted: the wall clock tells, as the monotonic one may stand still in a frozen sandbox.
func (s *session) usable(idleRedial time.Duration) bool {
	if idleRedial > 0 && time.Now().UnixNano()-s.used.Load() > int64(idleRedial) {
		s.abort()
	}
	select {
	case <-s.ended:
		return false
	case <-s.aborted:
		return false
	default:
		return true
	}
}

// abort drops the connections without a word. It does not wait.
func (s *session) abort() {
	s.once.Do(func() {
		close(s.aborted)
		for _, c := range []*amqp.Conn{s.publishing, s.consuming} {
			if c != nil { // it was not dialled
				c.Abort()
			}
		}
	})
}

// giveUp aborts the session with a node that does not do what it should: the next one is with another
// node where there is one.
func (s *session) giveUp() {
	s.consuming.GiveUp()
	s.abort()
}

// close ends the connections in order.
func (s *session) close() {
	var both sync.WaitGroup
	for _, c := range []*amqp.Conn{s.consuming, s.publishing} {
		if c != nil {
			both.Go(c.Close)
		}
	}
	both.Wait()
}

// exchange runs exchanges with the broker. A broker that does not answer in time is lost.
func (s *session) exchange(f func() error) error {
	limit := time.AfterFunc(exchangeTimeout, s.giveUp)
	defer limit.Stop()
	return f()
}

// lost is the error of what needed the session. Where a queue is gone so is the session: the next
// one declares it.
func (s *session) lost(err error) error {
	if s.bus.isClosed() {
		return bus.ErrClosed
	}
	var refusal *amqp091.Error
	if errors.As(err, &refusal) && refusal.Code == amqp091.NotFound {
		s.abort()
	}
	return fmt.Errorf("%w: %w", bus.ErrUnavailable, err)
}
