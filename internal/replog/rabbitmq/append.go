package rabbitmq

import (
	"context"
	"errors"
	"strconv"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"rideshare/internal/amqp"
	"rideshare/internal/replog"
)

// errBlocked: the broker is short of memory or disk and takes no records.
var errBlocked = errors.New("the broker takes no messages now")

// appender is the connection that records are published through.
type appender struct {
	conn      *amqp.Conn
	publisher *amqp.Publisher
}

func (a *appender) usable() bool {
	select {
	case <-a.conn.Done():
		return false
	default:
		return true
	}
}

func (a *appender) abort() { a.conn.Abort() }

// Append implements replog.Log. Without a deadline in ctx it ends when the broker answers, is
// found to be gone, or has not answered for the AnswerTimeout: the node is given up then.
func (l *Log) Append(ctx context.Context, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a, err := l.appender(ctx)
	if err != nil {
		return err
	}
	blocked := a.conn.Blocked()
	select {
	case <-blocked:
		return l.fault(errBlocked)
	default:
	}
	confirm, err := a.publisher.Publish(l.o.entries(), l.o.Name, amqp091.Publishing{
		CorrelationId: strconv.FormatUint(l.appends.Add(1), 36), Body: data, DeliveryMode: amqp091.Persistent,
	})
	if err != nil {
		return l.fault(err)
	}
	select {
	case <-confirm.Done():
		if err := confirm.Err(); err != nil {
			a.conn.Abort() // a stream that was deleted is declared by the next connection
			return l.fault(err)
		}
		return nil
	case <-blocked:
		return l.fault(errBlocked)
	case <-a.conn.Done():
		return l.fault(a.conn.Err())
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		return replog.ErrClosed
	}
}

// appender returns the appender, and waits for one where there is none that works. What makes it has a
// time of its own, and goes on when a caller gives up: the next one finds it further on.
func (l *Log) appender(ctx context.Context) (*appender, error) {
	if a := l.current.Load(); a != nil && a.usable() {
		return a, nil
	}
	select {
	case made := <-l.making.DoChan("", l.makeAppender):
		a, _ := made.Val.(*appender)
		return a, made.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.done:
		return nil, replog.ErrClosed
	}
}

// makeAppender is for one goroutine at a time.
func (l *Log) makeAppender() (any, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, replog.ErrClosed
	}
	l.work.Add(1)
	l.mu.Unlock()
	defer l.work.Done()
	if a := l.current.Load(); a != nil && a.usable() {
		return a, nil // it was made while the caller came here
	}
	a, err := connect(context.Background(), l, func(conn *amqp.Conn, ch *amqp091.Channel) (*appender, error) {
		if err := amqp.Bind(ch, l.o.entries(), l.o.Name); err != nil {
			return nil, err
		}
		publisher, err := amqp.NewPublisher(conn)
		return &appender{conn, publisher}, err
	})
	if err != nil {
		return nil, err
	}
	l.current.Store(a)
	return a, nil
}
