package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

type leaveInput struct {
	httpapi.Idempotency
	RiderPath
	RidePath
}

func (f *function) registerLeave(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "leave-ride", Method: http.MethodDelete, Path: "/api/v1/riders/{username}/rides/{rideId}", Tags: []string{tag},
		Summary:  "Leave a ride",
		Security: httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The user is not in the ride any more",
		400: "There is no such ride, or the user had not joined it",
		403: "The token is another user's than username",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.leave)
}

func (f *function) leave(ctx context.Context, in *leaveInput) (*httpapi.EmptyOutput, error) {
	id, possible, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := username.Check("username", in.Username); err != nil {
		return nil, err
	}
	if err := httpapi.RequireSubject(ctx, in.Username); err != nil {
		return nil, err
	}
	if !possible {
		return nil, noSuchRide()
	}
	is := db.Where("ride_id", db.Eq, id)
	_, err = f.DB.Write(ctx, in.ID(ctx, "leave-ride", in.RideID, in.Username), db.Write{Ops: []db.Op{
		{Check: "rides", Where: []db.Condition{is}, Expect: db.Rows(1)},
		{Delete: "riders", Where: []db.Condition{is, db.Where("username", db.Eq, in.Username)}, Expect: db.Rows(1)},
	}})
	switch {
	case err == nil:
		return &httpapi.EmptyOutput{}, nil
	case db.FailedOp(err, db.Expectation, 0):
		return nil, noSuchRide()
	case db.FailedOp(err, db.Expectation, 1):
		return nil, httpapi.BadRequest("username", "has not joined the ride")
	}
	return nil, err
}
