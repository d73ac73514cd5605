package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/bus"
	"rideshare/internal/db"
	"rideshare/internal/tracing"
)

// write passes a write, in its JSON form, to the master. An empty id is replaced: the queue of writes needs one. The
// digest is that of the request that the write was made from. If another request was executed under
// the id, the write is not executed, and the error is of kind KeyReused.
func (f *function) write(ctx context.Context, id, digest string, w []byte) (*db.Results, error) {
	if id == "" {
		id = uuid.NewString()
	}
	reply, err := f.request(ctx, bus.Writes, bus.Request{ID: id, Digest: digest, Body: w})
	if err != nil {
		return nil, err
	}
	if reply.Write == nil {
		return nil, db.Errorf(db.Unknown, "the reply has no result of a write")
	}
	f.see(ctx, reply.Write.Position)
	return reply.Write, nil
}

// read passes a read, in its JSON form, to a worker.
func (f *function) read(ctx context.Context, r []byte) (*db.Results, error) {
	reply, err := f.request(ctx, bus.Reads, bus.Request{ID: uuid.NewString(), Body: r})
	if err != nil {
		return nil, err
	}
	if reply.Read == nil {
		return nil, db.Errorf(db.Unavailable, "the reply has no result of a read")
	}
	f.see(ctx, reply.Read.Position)
	return reply.Read, nil
}

// request passes a database request to the queue and returns the reply unless it is an
// error. The digest in the reply is that of the request which was executed under the id. It makes no
// difference whether the reply is new, stored, or shared with a simultaneous request.
func (f *function) request(ctx context.Context, q bus.Queue, r bus.Request) (db.Passed, error) {
	body, err := f.call(ctx, q, r)
	if err != nil {
		return db.Passed{}, err
	}
	reply, err := db.DecodePassed(body)
	if err != nil {
		return db.Passed{}, err
	}
	if err := reply.Fits(r.Digest); err != nil {
		return db.Passed{}, err
	}
	if reply.Error != nil {
		return db.Passed{}, reply.Error
	}
	return reply, nil
}

// call passes a request to the queue, and returns the body of the reply.
func (f *function) call(ctx context.Context, q bus.Queue, r bus.Request) (_ []byte, err error) {
	ctx, span := tracing.Start(ctx, "call "+string(q), trace.WithSpanKind(trace.SpanKindProducer))
	defer func() { tracing.End(span, err) }()
	r.Trace = tracing.Traceparent(ctx)
	reply, err := f.bus.Call(ctx, q, r)
	switch {
	case err == nil:
		return reply, nil
	case q == bus.Writes && !errors.Is(err, bus.ErrFull):
		// It may have been published, and be executed after we have given up.
		return nil, fmt.Errorf("%w (%w)", db.Errorf(db.Unknown, "%s", reason(err)), err)
	default:
		return nil, fmt.Errorf("%w (%w)", db.Errorf(db.Unavailable, "%s", reason(err)), err)
	}
}

// reason says what happened without the names and addresses that the error itself may have.
func reason(err error) string {
	switch {
	case errors.Is(err, bus.ErrFull):
		return "too many requests are waiting"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no reply in time"
	default:
		return "the message broker cannot be reached"
	}
}
