package orchestrator

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type readInput struct {
	Body httpapi.Raw[readRequest]
}

type readOutput struct{ Body passed[db.ReadResult] }

func (f *function) registerRead(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "db-read", Method: http.MethodPost, Path: "/api/v1/db/read", Tags: []string{databaseTag},
		Summary:          "Read from the database",
		Description:      "All queries see one snapshot. A Consistency-Token in the header counts as after does in the body.",
		Parameters:       httpapi.TokenParameter(),
		Security:         httpapi.Require(httpapi.Service, httpapi.Database),
		SkipValidateBody: true, // db.DecodeRead does, and keeps numbers exact
	}, httpapi.Answers{
		200: "The results of the queries, in their order, and the position of the snapshot",
		400: "The read is malformed, field says where; or the log does not reach the position it asks for",
		503: httpapi.MeansUnavailable,
	}, f.dbRead)
}

func (f *function) dbRead(ctx context.Context, in *readInput) (*readOutput, error) {
	r, err := db.DecodeRead(in.Body)
	if err != nil {
		return nil, err
	}
	request, body := consistency.FromContext(ctx), []byte(in.Body)
	if token := request.Token(); !r.After.Covers(token) {
		r.After = token
		if r.Consistency == db.Eventual {
			r.Consistency = db.Session
		}
		if body, err = json.Marshal(r); err != nil {
			return nil, err
		}
	}
	result, err := f.read(ctx, body)
	f.often(ctx, "read from the database", err)
	if err != nil {
		if db.KindOf(err) == db.BadPosition {
			request.RejectToken()
		}
		return nil, err
	}
	return &readOutput{passed[db.ReadResult]{result}}, nil
}
