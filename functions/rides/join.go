package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

// newRider is a user who joins a ride.
type newRider struct {
	Username string `json:"username" doc:"User who joins" minLength:"1" example:"bob"`
}

type joinInput struct {
	httpapi.Idempotency
	RidePath
	Body newRider
}

func (f *function) registerJoin(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "join-ride", Method: http.MethodPost, Path: "/api/v1/rides/{rideId}", Tags: []string{tag},
		Summary:  "Join a ride",
		Security: httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The user joined",
		400: "There is no such ride or user, or the user is in it already, or is its creator",
		403: "The token is another user's than username",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.join)
}

func (f *function) join(ctx context.Context, in *joinInput) (*httpapi.EmptyOutput, error) {
	id, possible, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := username.Check("username", in.Body.Username); err != nil {
		return nil, err
	}
	if err := httpapi.RequireSubject(ctx, in.Body.Username); err != nil {
		return nil, err
	}
	if !possible {
		return nil, noSuchRide()
	}
	_, err = f.DB.Write(ctx, in.ID(ctx, "join-ride", in.RideID), joinWrite(id, in.Body.Username))
	switch {
	case err == nil:
		return &httpapi.EmptyOutput{}, nil
	case db.FailedOp(err, db.Expectation, 0):
		return nil, noSuchRide()
	case db.FailedOp(err, db.Expectation, 1):
		return nil, httpapi.BadRequest("username", "the creator of a ride cannot join it")
	case db.FailedOp(err, db.Duplicate, 2):
		return nil, httpapi.BadRequest("username", "is in the ride already")
	case db.FailedOp(err, db.ForeignKey, 2):
		return nil, httpapi.BadRequest("username", "there is no such user")
	}
	return nil, err
}

// joinWrite has a check for each thing that can be wrong, so that which op failed tells which it
// was: also when it is told again to a retry with the same key, after the ride has changed.
func joinWrite(ride int64, name string) db.Write {
	is := db.Where("ride_id", db.Eq, ride)
	return db.Write{Ops: []db.Op{
		{Check: "rides", Where: []db.Condition{is}, Expect: db.Rows(1)},
		{Check: "rides", Where: []db.Condition{is, db.Where("created_by", db.Eq, name)}, Expect: db.Rows(0)},
		{Insert: "riders", Values: map[string]db.Value{
			"ride_id": ride, "username": name, "joined": db.Next("riders"),
		}},
	}}
}
