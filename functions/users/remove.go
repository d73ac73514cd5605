package users

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

type removeInput struct {
	httpapi.Idempotency
	Username string `path:"username" doc:"Percent-encoded" example:"alice"`
}

func (f *function) registerRemove(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "delete-user", Method: http.MethodDelete, Path: "/api/v1/users/{username}", Tags: []string{tag},
		Summary:     "Delete a user",
		Description: "The user's rides and seats in other rides go with it, and so do its tokens.",
		Security:    httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The user was deleted",
		400: "There is no such user",
		403: "The token is another user's",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.remove)
}

func (f *function) remove(ctx context.Context, in *removeInput) (*httpapi.EmptyOutput, error) {
	if err := username.Check("username", in.Username); err != nil {
		return nil, err
	}
	if err := httpapi.RequireSubject(ctx, in.Username); err != nil {
		return nil, err
	}
	_, err := f.DB.Write(ctx, in.ID(ctx, "delete-user", in.Username), db.Write{Ops: []db.Op{{
		Delete: "users",
		Where:  []db.Condition{db.Where("username", db.Eq, in.Username)},
		Expect: db.Rows(1),
	}}})
	if db.FailedOp(err, db.Expectation, 0) {
		return nil, noSuchUser()
	}
	if err != nil {
		return nil, err
	}
	return &httpapi.EmptyOutput{}, nil
}
