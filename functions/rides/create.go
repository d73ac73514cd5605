package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

// newRide is a ride to be created.
type newRide struct {
	CreatedBy   string `json:"created_by" doc:"User who offers the ride" minLength:"1" example:"alice"`
	Timestamp   string `json:"timestamp" doc:"When it departs: DD-MM-YYYY:SS-MM-HH, seconds first" pattern:"^[0-9]{2}-[0-9]{2}-[0-9]{4}:[0-9]{2}-[0-9]{2}-[0-9]{2}$" patternDescription:"DD-MM-YYYY:SS-MM-HH" example:"25-12-2026:00-30-08"`
	Source      area   `json:"source" doc:"Area it departs from, a JSON number or a numeric string" example:"12"`
	Destination area   `json:"destination" doc:"Area it goes to, another than source" example:"34"`
}

type createInput struct {
	httpapi.Idempotency
	Body newRide
}

// createdRide says which ride was created.
type createdRide struct {
	RideID int64 `json:"rideId" doc:"Number of the ride, unique for ever" example:"7"`
}

type createOutput struct{ Body createdRide }

func (f *function) registerCreate(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "create-ride", Method: http.MethodPost, Path: "/api/v1/rides", Tags: []string{tag},
		Summary: "Offer a ride", DefaultStatus: http.StatusCreated,
		Description: "A ride in the past can be created; it just is not upcoming.",
		Security:    httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		201: "The ride was created",
		400: "Unknown user, bad timestamp, area out of range, source the same as destination, or a field is missing or unknown",
		403: "The token is another user's than created_by",
		503: httpapi.MeansUnavailable,
		504: httpapi.MeansUnknown,
	}, f.create)
}

func (f *function) create(ctx context.Context, in *createInput) (*createOutput, error) {
	values, err := f.ride(in.Body)
	if err != nil {
		return nil, err
	}
	if err := httpapi.RequireSubject(ctx, in.Body.CreatedBy); err != nil {
		return nil, err
	}
	result, err := f.DB.Write(ctx, in.ID(ctx, "create-ride"), db.Write{Ops: []db.Op{{Insert: "rides", Values: values}}})
	if db.FailedOp(err, db.ForeignKey, 0) {
		return nil, httpapi.BadRequest("created_by", "there is no such user")
	}
	if err != nil {
		return nil, err
	}
	id := db.Row(result.Results[0].Values).Int("ride_id")
	return &createOutput{Body: createdRide{RideID: id}}, nil
}

// ride checks a new ride and returns its row.
func (f *function) ride(r newRide) (map[string]db.Value, error) {
	if err := username.Check("created_by", r.CreatedBy); err != nil {
		return nil, err
	}
	departs, err := parseTimestamp(r.Timestamp, f.Location)
	if err != nil {
		return nil, err
	}
	source, err := f.area("source", r.Source)
	if err != nil {
		return nil, err
	}
	destination, err := f.area("destination", r.Destination)
	if err != nil {
		return nil, err
	}
	if source == destination {
		return nil, httpapi.BadRequest("destination", "must not be the same as source")
	}
	return map[string]db.Value{
		"ride_id":     db.Next("rides"),
		"created_by":  r.CreatedBy,
		"source":      source,
		"destination": destination,
		"departs_at":  departs,
	}, nil
}
