package users

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/functions/internal/account"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

type signInInput struct{ Body credentials }

type signInOutput struct{ Body session }

func (f *function) registerSignIn(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "create-session", Method: http.MethodPost, Path: "/api/v1/sessions", Tags: []string{tag},
		Summary:     "Sign in",
		Description: "Limited per user and per address of the client.",
	}, httpapi.Answers{
		200: "A token of the account, good for an hour and no longer than the account",
		400: "The username or the password is malformed, or a field is missing or unknown",
		401: "There is no such user, or the password is wrong",
		429: "Too many tries",
		503: httpapi.MeansUnavailable,
	}, f.signIn)
}

func (f *function) signIn(ctx context.Context, in *signInInput) (*signInOutput, error) {
	if err := username.Check("username", in.Body.Username); err != nil {
		return nil, err
	}
	password, err := digest(in.Body.Password)
	if err != nil {
		return nil, err
	}
	from := f.Trust.Address(httpapi.ClientOf(ctx))
	if err := f.Passwords.signIns.Allow(in.Body.Username, from); err != nil {
		return nil, err
	}
	of, hash, err := f.find(ctx, in.Body.Username)
	if err != nil {
		return nil, err
	}
	// Also where there is no such user: the answer, and the time it takes, do not tell.
	ok, err := f.Passwords.verifier.Verify(ctx, password, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, httpapi.Unauthorized(`Bearer realm="rideshare"`, "there is no such user, or the password is wrong")
	}
	f.Passwords.signIns.Succeeded(in.Body.Username, from)
	token, expires, err := f.Tokens.Issue(of)
	if err != nil {
		return nil, err
	}
	return &signInOutput{Body: session{Token: token, Expires: expires}}, nil
}

// find returns the account that has the name now, and the stored hash of its password: "" where
// there is no such user.
func (f *function) find(ctx context.Context, name string) (of httpapi.Account, hash string, err error) {
	result, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{{
		Table:   "users",
		Columns: append(account.Columns(), "password_hash"),
		Where:   []db.Condition{db.Where("username", db.Eq, name)},
	}}})
	if err != nil || len(result.Results[0].Rows) == 0 {
		return httpapi.Account{}, "", err
	}
	row := result.Results[0].Rows[0]
	return account.Of(row), row.Text("password_hash"), nil
}
