package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type countOutput struct {
	Body []int64 `nullable:"false" doc:"One number: how many rides exist" example:"[258]"`
}

func (f *function) registerCount(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "count-rides", Method: http.MethodGet, Path: "/api/v1/rides/count", Tags: []string{tag},
		Summary:    "Count the rides that exist",
		Parameters: httpapi.TokenParameter(),
	}, httpapi.Answers{
		200: "Their number, in a list",
		503: httpapi.MeansUnavailable,
	}, f.count)
}

func (f *function) count(ctx context.Context, _ *struct{}) (*countOutput, error) {
	result, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{{Table: "rides", Count: true}}})
	if err != nil {
		return nil, err
	}
	return &countOutput{Body: []int64{*result.Results[0].Count}}, nil
}
