package users

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

type listInput struct {
	Limit int    `query:"limit" doc:"The largest number of names, 1,000 where it is missing; there are never more than 10,000" minimum:"1" example:"50"`
	After string `query:"after" doc:"Only names after this one: the last one of the page before" example:"alice"`
}

type listOutput struct {
	Status int
	Link   string   `header:"Link" doc:"Where the next page is, if there is one (RFC 8288)" example:"</api/v1/users?after=bob&limit=2>; rel=\"next\""`
	Body   []string `nullable:"false" doc:"User names, sorted by their bytes" example:"[\"alice\",\"bob\"]"`
}

func (f *function) registerList(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: listPath, Tags: []string{tag},
		Summary:     "List users",
		Description: "A page at a time: the Link header of an answer leads to the next one.",
		Parameters:  httpapi.TokenParameter(),
	}, httpapi.Answers{
		200: "User names, sorted",
		204: "There are none",
		503: httpapi.MeansUnavailable,
	}, f.list)
}

func (f *function) list(ctx context.Context, in *listInput) (*listOutput, error) {
	if in.After != "" {
		// Not the rule of names: the last one of a page may be of a user whom an operator has made.
		if !utf8.ValidString(in.After) || utf8.RuneCountInString(in.After) > username.MaxLength || strings.ContainsRune(in.After, 0) {
			return nil, httpapi.BadRequest("after", "is no user name")
		}
	}
	limit := min(cmp.Or(in.Limit, defaultPage), largestPage)
	var names []string
	for after := in.After; len(names) <= limit; after = names[len(names)-1] {
		want := min(db.Page, limit+1-len(names)) // one more tells whether there is a next page
		more, err := f.names(ctx, after, want)
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
		if len(more) < want {
			break
		}
		if len(names) == db.Page { // the first page: what follows may be long
			if err := f.long.Acquire(ctx, 1); err != nil {
				return nil, err
			}
			defer f.long.Release(1)
		}
	}
	out := &listOutput{Status: http.StatusOK, Body: names}
	switch {
	case len(names) == 0:
		out.Status = http.StatusNoContent
	case len(names) > limit:
		out.Body = names[:limit]
		next := url.Values{"after": {names[limit-1]}, "limit": {strconv.Itoa(limit)}}
		out.Link = "<" + listPath + "?" + next.Encode() + `>; rel="next"`
	}
	return out, nil
}

const (
	listPath    = "/api/v1/users"
	defaultPage = 1000
	largestPage = 10_000 // of the longest names, 5 MB
)

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
