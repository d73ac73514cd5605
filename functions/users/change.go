package users

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

// newPassword is a user's new password, and the proof that it is the user who sets it.
type newPassword struct {
	Current  string `json:"current" doc:"SHA-1 of the password of until now, as 40 hex digits" writeOnly:"true" example:"3d725109c7e7c0bfb9d709836735b56d943d263f"`
	Password string `json:"password" doc:"SHA-1 of the new password, as 40 hex digits" writeOnly:"true" example:"e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"`
}

type changeInput struct {
	httpapi.Idempotency
	Username string `path:"username" doc:"Percent-encoded" example:"alice"`
	Body     newPassword
}

func (f *function) registerChange(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "change-password", Method: http.MethodPut, Path: "/api/v1/users/{username}/password", Tags: []string{tag},
		Summary:     "Change a password",
		Description: "All tokens of the account end. Limited as signing in is.",
		Security:    httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The password was changed",
		400: "There is no such user, a password is malformed, or a field is missing or unknown",
		403: "The token is another user's, or the current password is wrong",
		429: "Too many tries",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.change)
}

func (f *function) change(ctx context.Context, in *changeInput) (*httpapi.EmptyOutput, error) {
	if err := username.Check("username", in.Username); err != nil {
		return nil, err
	}
	if err := httpapi.RequireSubject(ctx, in.Username); err != nil {
		return nil, err
	}
	current, err := digest(in.Body.Current)
	if err != nil {
		return nil, httpapi.BadRequest("current", "must be the SHA-1 of the password, as %d hex digits", digestLength)
	}
	password, err := newDigest(in.Body.Password)
	if err != nil {
		return nil, err
	}
	if err := f.Passwords.signIns.Allow(in.Username, f.Trust.Address(httpapi.ClientOf(ctx))); err != nil {
		return nil, err
	}
	id := in.ID(ctx, "change-password", in.Username)
	_, stored, err := f.find(ctx, in.Username)
	if p := new(httpapi.Problem); id != "" && errors.As(err, &p) && p.Status == http.StatusUnauthorized {
		// The token has ended: perhaps by this very request, whose answer was lost. If so, its key has that
		// answer, and else this is refused.
		_, err := f.DB.Write(ctx, id, setPassword(in.Username, "", ""))
		return &httpapi.EmptyOutput{}, err
	}
	if err != nil {
		return nil, err
	}
	if stored == "" {
		return nil, noSuchUser()
	}
	ok, err := f.Passwords.verifier.Verify(ctx, current, stored)
	if err != nil {
		return nil, err
	}
	if !ok {
		// The change may be done already, and this may be a retry. Then the stored password is the new one.
		if done, err := f.Passwords.verifier.Verify(ctx, password, stored); done || err != nil {
			return &httpapi.EmptyOutput{}, err
		}
		return nil, httpapi.Forbidden("the current password is wrong")
	}
	hash, err := f.Passwords.hasher.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	_, err = f.DB.Write(ctx, id, setPassword(in.Username, stored, hash))
	if db.FailedOp(err, db.Expectation, 0) {
		return nil, httpapi.Forbidden("the current password has just been changed")
	}
	if err != nil {
		return nil, err
	}
	return &httpapi.EmptyOutput{}, nil
}

// setPassword replaces the hash of a password, if it is still the one that was stored, and ends all tokens.
func setPassword(name, stored, hash string) db.Write {
	return db.Write{Ops: []db.Op{{
		Update: "users",
		Set:    map[string]db.Value{"password_hash": hash, "generation": newGeneration()},
		Where:  []db.Condition{db.Where("username", db.Eq, name), db.Where("password_hash", db.Eq, stored)},
		Expect: db.Rows(1),
	}}}
}

// newGeneration returns a text that no account has had as its generation, which ends the account's tokens.
func newGeneration() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

func noSuchUser() error { return httpapi.BadRequest("username", "there is no such user") }
