package users

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

type createInput struct {
	httpapi.Idempotency
	Body credentials
}

func (f *function) registerCreate(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "create-user", Method: http.MethodPut, Path: "/api/v1/users", Tags: []string{tag},
		Summary: "Sign up", DefaultStatus: http.StatusCreated,
		Description: "Limited per name and per address of the client.",
	}, httpapi.Answers{
		201: "The user was created",
		400: "The username exists or is malformed, the password is not a SHA-1, or a field is missing or unknown",
		429: "Too many tries",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.create)
}

func (f *function) create(ctx context.Context, in *createInput) (*httpapi.EmptyOutput, error) {
	if err := username.CheckNew("username", in.Body.Username); err != nil {
		return nil, err
	}
	password, err := newDigest(in.Body.Password)
	if err != nil {
		return nil, err
	}
	if err := f.Passwords.signUps.Allow(in.Body.Username, f.Trust.Address(httpapi.ClientOf(ctx))); err != nil {
		return nil, err
	}
	hash, err := f.Passwords.hasher.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	_, err = f.DB.Write(ctx, in.ID(ctx, "create-user"), db.Write{Ops: []db.Op{{
		Insert: "users",
		Values: map[string]db.Value{"username": in.Body.Username, "password_hash": hash},
	}}})
	if db.FailedOp(err, db.Duplicate, 0) {
		return nil, httpapi.BadRequest("username", "exists already")
	}
	if err != nil {
		return nil, err
	}
	return &httpapi.EmptyOutput{}, nil
}
