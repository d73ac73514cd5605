package zookeeper

import (
	"context"

	"github.com/go-zookeeper/zk"

	"rideshare/internal/registry"
)

// abandoned: the caller did not wait for the answer. The request may still take effect, until done
// is closed.
type abandoned struct {
	cause error
	done  <-chan struct{}
}

func (a *abandoned) Error() string { return a.cause.Error() }
func (a *abandoned) Unwrap() error { return a.cause }

// ask has a request made, and waits for the answer no longer than there is hope or ctx lasts: the
// library knows no contexts. The goroutine ends when the connection does, at the latest.
func ask[T any](ctx context.Context, l *link, request func(*zk.Conn) (T, error)) (T, error) {
	var value T
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		value, err = request(l.conn)
	}()
	for {
		v := l.view()
		select {
		case <-done:
			return value, err
		case <-v.changed:
			continue
		case <-v.hopeless(ctx):
		}
		var none T // value and err belong to the goroutine
		return none, &abandoned{v.why(ctx), done}
	}
}

// hopeless returns a channel that is closed when there is no use in waiting for an answer.
func (v view) hopeless(ctx context.Context) <-chan struct{} {
	if !v.dead && !v.gone {
		return ctx.Done()
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

func (v view) why(ctx context.Context) error {
	switch {
	case v.dead:
		return errDead
	case v.gone:
		return registry.ErrUnavailable
	}
	return ctx.Err()
}
