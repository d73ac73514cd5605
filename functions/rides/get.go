package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type getInput struct{ RidePath }

// rideDetails is a ride with those who joined it.
type rideDetails struct {
	RideID      int64    `json:"rideId" doc:"Number of the ride" example:"7"`
	CreatedBy   string   `json:"created_by" doc:"User who offers it" example:"alice"`
	Users       []string `json:"users" nullable:"false" doc:"Those who joined, in order, without its creator" example:"[\"bob\",\"carol\"]"`
	Timestamp   string   `json:"timestamp" doc:"When it departs: DD-MM-YYYY:SS-MM-HH" example:"25-12-2026:00-30-08"`
	Source      int64    `json:"source" doc:"Area it departs from" example:"12"`
	Destination int64    `json:"destination" doc:"Area it goes to" example:"34"`
}

type getOutput struct {
	Status int
	Body   *rideDetails
}

func (f *function) registerGet(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "get-ride", Method: http.MethodGet, Path: "/api/v1/rides/{rideId}", Tags: []string{tag},
		Summary:    "Get a ride",
		Parameters: httpapi.TokenParameter(),
	}, httpapi.Answers{
		200: "The ride",
		204: "There is no such ride",
		400: "The rideId is not a number",
		503: httpapi.MeansUnavailable,
	}, f.get)
}

func (f *function) get(ctx context.Context, in *getInput) (*getOutput, error) {
	id, possible, err := in.id()
	if err != nil {
		return nil, err
	}
	if !possible {
		return &getOutput{Status: http.StatusNoContent}, nil
	}
	is := []db.Condition{db.Where("ride_id", db.Eq, id)}
	// Both queries see one snapshot: nobody is missing who joined before the ride was read.
	result, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{
		{Table: "rides", Where: is},
		{Table: "riders", Columns: []string{"username"}, Where: is, OrderBy: []db.Order{{Column: "joined"}}},
	}})
	if err != nil {
		return nil, err
	}
	if len(result.Results[0].Rows) == 0 {
		return &getOutput{Status: http.StatusNoContent}, nil
	}
	ride := result.Results[0].Rows[0]
	users := make([]string, len(result.Results[1].Rows))
	for i, row := range result.Results[1].Rows {
		users[i] = row.Text("username")
	}
	return &getOutput{Status: http.StatusOK, Body: &rideDetails{
		RideID:      ride.Int("ride_id"),
		CreatedBy:   ride.Text("created_by"),
		Users:       users,
		Timestamp:   f.timestamp(ride.Time("departs_at")),
		Source:      ride.Int("source"),
		Destination: ride.Int("destination"),
	}}, nil
}
