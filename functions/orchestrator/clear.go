package orchestrator

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type clearInput struct{ httpapi.Idempotency }

func (f *function) registerClear(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "db-clear", Method: http.MethodPost, Path: "/api/v1/db/clear", Tags: []string{databaseTag},
		Summary: "Empty every table",
		Description: "Goes through the log, as every write does. Sequences start at 1 again. Stored answers are discarded: " +
			"an Idempotency-Key that was used before is free, but for this clear's own.",
		Security: httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "Everything is gone",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.clear)
}

func (f *function) clear(ctx context.Context, in *clearInput) (*httpapi.EmptyOutput, error) {
	body, err := json.Marshal(db.Write{Ops: []db.Op{{Clear: true}}})
	if err != nil {
		return nil, err
	}
	_, err = f.write(ctx, in.ID(ctx, "db-clear"), httpapi.Digest(ctx), body)
	f.done(ctx, "empty the database", err)
	if err != nil {
		return nil, err
	}
	return &httpapi.EmptyOutput{}, nil
}
