package httpapi

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/consistency"
)

// Answers are the status codes of an operation and what each of them means.
type Answers map[int]string

// What the answers that many operations have mean.
const (
	MeansUnavailable = "Nobody can serve it now. Retry after the given number of seconds, a write with the same Idempotency-Key"
	MeansUnknown     = "The outcome is unknown. Retry with the same Idempotency-Key to learn it"
)

// Register adds an operation. The handler returns any error; FromError makes the answer of it, and
// what is not the caller's fault is logged here. Answers that follow from the operation need not be
// given: 400, 401 where it has a Security requirement, 413 and 415 where it has a body, 422 where it takes an
// Idempotency-Key.
func Register[I, O any](a *API, op huma.Operation, answers Answers, handler func(context.Context, *I) (*O, error)) {
	// limitBody has read and bounded the body. huma's own deadline for reading it would stay on
	// the connection, and cancel the context of an operation that takes longer.
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	op.Responses = a.responses(withImplied[I](answers, op))
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

func withImplied[I any](answers Answers, op huma.Operation) Answers {
	all := Answers{http.StatusBadRequest: "The request is malformed"}
	if len(op.Security) > 0 {
		all[http.StatusUnauthorized] = "The token is missing, wrong or expired"
	}
	if _, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		all[http.StatusRequestEntityTooLarge] = "The body is larger than 1 MiB"
		all[http.StatusUnsupportedMediaType] = "The body has a Content-Encoding other than identity"
	}
	if _, ok := reflect.TypeFor[I]().FieldByName("Idempotency"); ok {
		all[http.StatusUnprocessableEntity] = "The Idempotency-Key was used for a request with another body; nothing was done"
	}
	maps.Copy(all, answers)
	return all
}

func (a *API) responses(answers Answers) map[string]*huma.Response {
	problem := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	out := map[string]*huma.Response{}
	for status, meaning := range answers {
		r := &huma.Response{Description: meaning, Headers: map[string]*huma.Param{
			consistency.Header: header("string", "The newest position that is known here: send it back on a read to see at least that", "3.1024"),
		}}
		if status >= http.StatusBadRequest {
			r.Content = map[string]*huma.MediaType{ProblemType: {Schema: problem}}
		}
		switch status {
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			r.Headers["Retry-After"] = header("integer", "Seconds to wait", 1)
		case http.StatusUnauthorized:
			r.Headers["WWW-Authenticate"] = header("string", "How to authenticate", `Bearer realm="rideshare"`)
		case http.StatusUnsupportedMediaType:
			r.Headers["Accept-Encoding"] = header("string", "The content codings that are accepted", "identity")
		}
		out[strconv.Itoa(status)] = r
	}
	return out
}

// TokenParameter documents the Consistency-Token header on an operation that reads. The middleware
// reads it, before any operation.
func TokenParameter() []*huma.Param {
	p := header("string", "The read sees at least this position: the Consistency-Token of an earlier answer", "3.1024")
	p.Name, p.In = consistency.Header, "header"
	return []*huma.Param{p}
}

func header(typ, description string, example any) *huma.Param {
	return &huma.Param{Description: description, Schema: &huma.Schema{Type: typ, Examples: []any{example}}}
}
