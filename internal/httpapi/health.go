package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Empty is the body of a success without data: {}.
type Empty struct{}

// EmptyOutput is the output of an operation that answers without data.
type EmptyOutput struct{ Body Empty }

// readyz is the operation id of the question whether the instance can serve.
const readyz = "readyz"

// readyTimeout bounds one look at whether the instance can serve.
const readyTimeout = 2 * time.Second

func (a *API) registerHealth() {
	Register(a, huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{"Health"},
		Summary: "Is it alive?",
	}, Answers{200: "It is"}, func(context.Context, *struct{}) (*EmptyOutput, error) {
		return &EmptyOutput{}, nil
	})
	Register(a, huma.Operation{
		OperationID: readyz, Method: http.MethodGet, Path: "/readyz", Tags: []string{"Health"},
		Summary:     "Can it serve?",
		Description: "Looks at what it depends on. Does not read from the database.",
	}, Answers{200: "It can", 503: "It cannot now; the detail says why"}, a.ready)
}

func (a *API) ready(ctx context.Context, _ *struct{}) (*EmptyOutput, error) {
	if a.options.Ready == nil {
		return &EmptyOutput{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := a.options.Ready(ctx); err != nil {
		return nil, retryLater(NewProblem(http.StatusServiceUnavailable, "not ready: %s", err), "")
	}
	return &EmptyOutput{}, nil
}
