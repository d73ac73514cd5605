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
	if in.After != "" {
		if err := username.Check("after", in.After); err != nil {
			return nil, err
		}
	}
	var names []string
	for after := in.After; ; after = names[len(names)-1] {
		limit := db.Page
		if in.Limit > 0 {
			limit = min(limit, in.Limit-len(names))
		}
		more, err := f.names(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
		if len(more) < limit || len(names) == in.Limit {
			break
		}
	}
	if len(names) == 0 {
		return &listOutput{Status: http.StatusNoContent}, nil
	}
	return &listOutput{Status: http.StatusOK, Body: names}, nil
}

// names reads so many names at most, those after one.
func (f *function) names(ctx context.Context, after string, limit int) ([]string, error) {
	query := db.Query{
		Table:   "users",
		Columns: []string{"username"},
		OrderBy: []db.Order{{Column: "username"}},
		Limit:   limit,
	}
	if after != "" {
		query.Where = []db.Condition{db.Where("username", db.Gt, after)}
	}
	result, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{query}})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, row := range result.Results[0].Rows {
		names = append(names, row.Text("username"))
	}
	return names, nil
}
