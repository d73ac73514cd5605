package users

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type signOutInput struct{ httpapi.Idempotency }

func (f *function) registerSignOut(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "delete-sessions", Method: http.MethodDelete, Path: "/api/v1/sessions", Tags: []string{tag},
		Summary:     "Sign out",
		Description: "All tokens of the account end, wherever they were issued.",
		Security:    httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The tokens have ended",
		400: "Nobody is signed in: callers are not asked for tokens",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.signOut)
}

func (f *function) signOut(ctx context.Context, in *signOutInput) (*httpapi.EmptyOutput, error) {
	account, ok := httpapi.Subject(ctx)
	if !ok {
		return nil, httpapi.NewProblem(http.StatusBadRequest, "nobody is signed in: callers are not asked for tokens (RIDESHARE_AUTH=off)")
	}
	_, err := f.DB.Write(ctx, in.ID(ctx, "delete-sessions"), db.Write{Ops: []db.Op{{
		Update: "users",
		Set:    map[string]db.Value{"generation": newGeneration()},
		Where:  []db.Condition{db.Where("username", db.Eq, account.Username)},
		Expect: db.Rows(1),
	}}})
	if err != nil {
		return nil, err // that the account is gone is a 401 by then (package account)
	}
	return &httpapi.EmptyOutput{}, nil
}
