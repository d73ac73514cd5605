package orchestrator

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type writeInput struct {
	httpapi.Idempotency
	httpapi.Digested
	Body httpapi.Raw[writeRequest]
}

type writeOutput struct{ Body passed[db.WriteResult] }

func (f *function) registerWrite(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "db-write", Method: http.MethodPost, Path: "/api/v1/db/write", Tags: []string{databaseTag},
		Summary:          "Write to the database",
		Description:      "All ops are one transaction. A 200 means that the write is on disk, and will not be lost.",
		Security:         httpapi.Require(httpapi.Service, httpapi.Database),
		SkipValidateBody: true, // db.DecodeWrite does, and keeps numbers exact
	}, httpapi.Answers{
		200: "The results of the ops, in their order, and the position at which they are there",
		400: "The write is malformed; field says where",
		409: "A row exists already, one that is referred to does not, or another number of rows matched than was expected; op says in which op. Nothing was changed",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.dbWrite)
}

func (f *function) dbWrite(ctx context.Context, in *writeInput) (*writeOutput, error) {
	w, err := db.DecodeWrite(in.Body)
	if err != nil {
		return nil, err
	}
	if httpapi.CallerOf(ctx).Scope == httpapi.Database && slices.ContainsFunc(w.Ops, func(op db.Op) bool { return op.Advance != "" }) {
		return nil, httpapi.Forbidden("sequences are advanced by operators, with the service token")
	}
	result, err := f.write(ctx, in.ID(ctx, "db-write"), in.Digest(ctx), in.Body)
	f.often(ctx, "write to the database", err)
	if err != nil {
		return nil, err
	}
	return &writeOutput{passed[db.WriteResult]{result}}, nil
}
