package httpapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/consistency"
)

// Register adds an operation. The handler returns any error; FromError makes the answer of it, and
// what is not the caller's fault is logged here. Only the answers that are the operation's own need be
// given: see commonTo for the others.
func Register[I, O any](a *API, op huma.Operation, answers Answers, handler func(context.Context, *I) (*O, error)) {
	// LimitBody has read and bounded the body. huma's own deadline for reading it would stay on
	// the connection, and cancel the context of an operation that takes longer.
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	op.Responses = a.responses(answers, commonTo[I](op))
	a.note(op)
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err == nil {
			return out, nil
		}
		p := FromError(err)
		if p.Status >= http.StatusInternalServerError {
			a.options.Logger.Log(ctx, levelOf(op.OperationID, p), "operation failed", "operation", op.OperationID,
				"request", RequestID(ctx), "status", p.Status, "error", err)
		}
		return nil, p
	})
}

// levelOf tells a fault of ours from one of what we depend on, and both from an answer to somebody
// who asks about that.
func levelOf(operation string, p *Problem) slog.Level {
	switch {
	case operation == readyz:
		return slog.LevelDebug
	case p.Status == http.StatusInternalServerError:
		return slog.LevelError
	default:
		return slog.LevelWarn
	}
}

// TokenParameter documents the Consistency-Token header on an operation that reads. The middleware
// reads it, before any operation.
func TokenParameter() []*huma.Param {
	p := header("string", "The read sees at least this position: the Consistency-Token of an earlier answer", "3.1024")
	p.Name, p.In = consistency.Header, "header"
	return []*huma.Param{p}
}
