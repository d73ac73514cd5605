package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type removeInput struct {
	httpapi.Idempotency
	RidePath
}

func (f *function) registerRemove(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "delete-ride", Method: http.MethodDelete, Path: "/api/v1/rides/{rideId}", Tags: []string{tag},
		Summary:     "Delete a ride",
		Description: "Only its creator can.",
		Security:    httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The ride was deleted",
		400: "There is no such ride",
		403: "The ride is another user's",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.remove)
}

func (f *function) remove(ctx context.Context, in *removeInput) (*httpapi.EmptyOutput, error) {
	id, possible, err := in.id()
	if err != nil {
		return nil, err
	}
	if !possible {
		return nil, noSuchRide()
	}
	_, err = f.DB.Write(ctx, in.ID(ctx, "delete-ride", in.RideID), removeWrite(ctx, id))
	switch {
	case err == nil:
		return &httpapi.EmptyOutput{}, nil
	case db.FailedOp(err, db.Expectation, 0):
		return nil, noSuchRide()
	case db.FailedOp(err, db.Expectation, 1):
		return nil, httpapi.Forbidden("the ride is another user's")
	}
	return nil, err
}

// removeWrite deletes the ride: whoever's it is where nobody was asked who they are, else only if
// it is theirs. The first op fails where there is no such ride.
func removeWrite(ctx context.Context, ride int64) db.Write {
	is := db.Where("ride_id", db.Eq, ride)
	subject, asked := httpapi.Subject(ctx)
	if !asked {
		return db.Write{Ops: []db.Op{{Delete: "rides", Where: []db.Condition{is}, Expect: db.Rows(1)}}}
	}
	return db.Write{Ops: []db.Op{
		{Check: "rides", Where: []db.Condition{is}, Expect: db.Rows(1)},
		{Delete: "rides", Where: []db.Condition{is, db.Where("created_by", db.Eq, subject.Username)}, Expect: db.Rows(1)},
	}}
}
