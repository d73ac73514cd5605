package users

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/functions/internal/username"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type listInput struct {
	Limit int    `query:"limit" doc:"The largest number of names; all where it is missing" minimum:"1" example:"50"`
	After string `query:"after" doc:"Only names after this one: the last one of the page before" example:"alice"`
}

type listOutput struct {
	Status int
	Body   []string `nullable:"false" doc:"User names, sorted by their bytes" example:"[\"alice\",\"bob\"]"`
}

func (f *function) registerList(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/api/v1/users", Tags: []string{tag},
		Summary:    "List users",
		Parameters: httpapi.TokenParameter(),
	}, httpapi.Answers{
		200: "User names, sorted",
		204: "There are none",
		503: httpapi.MeansUnavailable,
	}, f.list)
}

func (f *function) list(ctx context.Context, in *listInput) (*listOutput, error) {
	query := db.Query{
		Table:   "users",
		Columns: []string{"username"},
		OrderBy: []db.Order{{Column: "username"}},
		Limit:   in.Limit,
	}
	if in.After != "" {
		if err := username.Check("after", in.After); err != nil {
			return nil, err
		}
		query.Where = []db.Condition{db.Where("username", db.Gt, in.After)}
	}
	result, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{query}})
	if err != nil {
		return nil, err
	}
	rows := result.Results[0].Rows
	if len(rows) == 0 {
		return &listOutput{Status: http.StatusNoContent}, nil
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Text("username")
	}
	return &listOutput{Status: http.StatusOK, Body: names}, nil
}
