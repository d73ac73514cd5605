package httpapi

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Stream writes the body of an answer whose size is not known. When it returns an error the
// connection is cut, so that nobody takes a part of the answer for the whole.
type Stream func(w io.Writer, connection *http.ResponseController) error

// RegisterStream adds an operation that answers with a stream of that media type. What the handler
// returns as an error is answered as by Register; the stream is written afterwards, and is not
// bound by the deadline of the request.
func RegisterStream[I any](a *API, op huma.Operation, mediaType string, answers Answers, handler func(context.Context, *I) (Stream, error)) {
	Register(a, op, answers, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		stream, err := handler(ctx, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", mediaType)
			_, w := humago.Unwrap(hc)
			if err := stream(w, http.NewResponseController(w)); err != nil {
				a.options.Logger.WarnContext(ctx, "an answer was cut off", "operation", op.OperationID, "request", RequestID(ctx), "error", err)
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
	documented := a.OpenAPI().Paths[op.Path].Get
	documented.Responses["200"].Content = map[string]*huma.MediaType{
		mediaType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}
}
