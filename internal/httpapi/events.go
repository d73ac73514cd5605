package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// EventType is the media type of server-sent events.
const EventType = "text/event-stream"

// writePatience is how long a client may take to receive one event.
const writePatience = 10 * time.Second

type (
	connectionKey struct{}
	endingKey     struct{}
)

// WithEnding returns the base context of a server's requests. The channel is closed when the server
// begins to end: it waits for requests under way, and a stream would never be over.
func WithEnding(ctx context.Context, ending <-chan struct{}) context.Context {
	return context.WithValue(ctx, endingKey{}, ending)
}

// Ending returns the channel that WithEnding was given, or nil.
func Ending(ctx context.Context) <-chan struct{} {
	ending, _ := ctx.Value(endingKey{}).(<-chan struct{})
	return ending
}

// EventStream is the answer of an operation that sends events for as long as the client listens.
type EventStream struct {
	w          http.ResponseWriter
	connection *http.ResponseController
}

// Events returns the output of an operation that streams: send is called with the stream, and with
// a context that ends when the client is gone or the server ends. It has no deadline, unlike that
// of other requests. Where answers are not streamed, as on Lambda, the client gets a 501 that says
// after how many seconds to read the resource again instead.
func Events(ctx context.Context, again string, send func(context.Context, *EventStream)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		w, ok := hc.BodyWriter().(http.ResponseWriter)
		if !ok {
			return
		}
		s := &EventStream{w: w, connection: http.NewResponseController(w)}
		if err := s.begin(); err != nil {
			p := NewProblem(http.StatusNotImplemented, "answers cannot be streamed here: read %s again every few seconds", again)
			p.header.Set("Retry-After", "2")
			p.Write(w)
			return
		}
		ctx, cancel := streamContext(ctx)
		defer cancel()
		send(ctx, s)
	}}
}

// begin takes the server's deadlines off the connection, and sends the header.
func (s *EventStream) begin() error {
	if err := s.connection.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	h := s.w.Header()
	h.Set("Content-Type", EventType)
	h.Set("X-Accel-Buffering", "no") // for proxies that would hold events back
	s.w.WriteHeader(http.StatusOK)
	return nil
}

// Send sends what it is given, at once. An error means that the client is gone, or too slow.
func (s *EventStream) Send(event []byte) error {
	deadline := s.connection.SetWriteDeadline(time.Now().Add(writePatience))
	_, err := s.w.Write(event)
	return errors.Join(deadline, err, s.connection.Flush())
}

// streamContext is the context of the connection, without the deadline of limitTime.
func streamContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if c, ok := ctx.Value(connectionKey{}).(context.Context); ok {
		ctx = c
	}
	ctx, cancel := context.WithCancel(ctx)
	if ending := Ending(ctx); ending != nil {
		go func() {
			select {
			case <-ending:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}
