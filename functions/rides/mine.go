package rides

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/username"
)

// RiderPath is the username in a path. It is exported because huma looks into no other embedded
// types.
type RiderPath struct {
	Username string `path:"username" doc:"User whose rides they are" example:"bob"`
}

type mineInput struct{ RiderPath }

// riderRide is a ride in the list of a user.
type riderRide struct {
	RideID      int64  `json:"rideId" doc:"Number of the ride" example:"7"`
	CreatedBy   string `json:"created_by" doc:"User who offers it" example:"alice"`
	Timestamp   string `json:"timestamp" doc:"When it departs: DD-MM-YYYY:SS-MM-HH" example:"25-12-2026:00-30-08"`
	Source      int64  `json:"source" doc:"Area it departs from" example:"12"`
	Destination int64  `json:"destination" doc:"Area it goes to" example:"34"`
}

type mineOutput struct {
	Status int
	Body   []riderRide `nullable:"false"`
}

func (f *function) registerMine(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "list-rides-of-rider", Method: http.MethodGet, Path: "/api/v1/riders/{username}/rides", Tags: []string{tag},
		Summary:    "List the upcoming rides that a user offers or has joined",
		Parameters: httpapi.TokenParameter(),
		Security:   httpapi.Require(httpapi.User),
	}, httpapi.Answers{
		200: "The rides that depart after now, soonest first",
		204: "There are none",
		403: "The token is another user's than username",
		503: httpapi.MeansUnavailable,
	}, f.mine)
}

func (f *function) mine(ctx context.Context, in *mineInput) (*mineOutput, error) {
	if err := username.Check("username", in.Username); err != nil {
		return nil, err
	}
	if err := httpapi.RequireSubject(ctx, in.Username); err != nil {
		return nil, err
	}
	order := []db.Order{{Column: "departs_at"}, {Column: "ride_id"}}
	upcoming := db.Where("departs_at", db.Gt, f.Now())
	result, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{
		{Table: "rides", Where: []db.Condition{db.Where("created_by", db.Eq, in.Username), upcoming}, OrderBy: order},
		{Table: "riders", Columns: []string{"ride_id"}, Where: []db.Condition{db.Where("username", db.Eq, in.Username)}},
	}})
	if err != nil {
		return nil, err
	}
	rows := result.Results[0].Rows
	// The language has no joins. What changes between the two reads is a ride that is deleted, and
	// that is right in either.
	for seats := range slices.Chunk(result.Results[1].Rows, db.MaxInList) {
		ids := make([]db.Value, len(seats))
		for i, seat := range seats {
			ids[i] = seat.Int("ride_id")
		}
		joined, err := f.DB.Read(ctx, db.Read{Queries: []db.Query{{
			Table: "rides", Where: []db.Condition{db.Where("ride_id", db.In, ids), upcoming},
		}}})
		if err != nil {
			return nil, err
		}
		rows = append(rows, joined.Results[0].Rows...)
	}
	if len(rows) == 0 {
		return &mineOutput{Status: http.StatusNoContent}, nil
	}
	slices.SortStableFunc(rows, func(a, b db.Row) int { return a.Time("departs_at").Compare(b.Time("departs_at")) })
	rides := make([]riderRide, len(rows))
	for i, row := range rows {
		rides[i] = riderRide{
			RideID:      row.Int("ride_id"),
			CreatedBy:   row.Text("created_by"),
			Timestamp:   f.timestamp(row.Time("departs_at")),
			Source:      row.Int("source"),
			Destination: row.Int("destination"),
		}
	}
	return &mineOutput{Status: http.StatusOK, Body: rides}, nil
}
