package rides

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

type upcomingInput struct {
	Source      area `query:"source" required:"true" doc:"Area of departure" example:"12"`
	Destination area `query:"destination" required:"true" doc:"Area of arrival" example:"34"`
}

// upcomingRide is a ride in a list.
type upcomingRide struct {
	RideID    int64  `json:"rideId" doc:"Number of the ride" example:"7"`
	Username  string `json:"username" doc:"User who offers it" example:"alice"`
	Timestamp string `json:"timestamp" doc:"When it departs: DD-MM-YYYY:SS-MM-HH" example:"25-12-2026:00-30-08"`
}

type upcomingOutput struct {
	Status int
	Body   []upcomingRide `nullable:"false"`
}

func (f *function) registerUpcoming(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "list-rides", Method: http.MethodGet, Path: "/api/v1/rides", Tags: []string{tag},
		Summary:    "List upcoming rides from one area to another",
		Parameters: httpapi.TokenParameter(),
	}, httpapi.Answers{
		200: "The rides that depart after now, soonest first",
		204: "There are none",
		400: "An area is missing, no number or out of range",
		503: httpapi.MeansUnavailable,
	}, f.upcoming)
}

func (f *function) upcoming(ctx context.Context, in *upcomingInput) (*upcomingOutput, error) {
	source, err := f.area("source", in.Source)
	if err != nil {
		return nil, err
	}
	destination, err := f.area("destination", in.Destination)
	if err != nil {
		return nil, err
	}
	rows, err := f.between(ctx, source, destination)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return &upcomingOutput{Status: http.StatusNoContent}, nil
	}
	rides := make([]upcomingRide, len(rows))
	for i, row := range rows {
		rides[i] = upcomingRide{
			RideID:    row.Int("ride_id"),
			Username:  row.Text("created_by"),
			Timestamp: f.timestamp(row.Time("departs_at")),
		}
	}
	return &upcomingOutput{Status: http.StatusOK, Body: rides}, nil
}

// between reads the rides that depart after now from one area to another, soonest first, a page at a time.
func (f *function) between(ctx context.Context, source, destination int64) ([]db.Row, error) {
	query := func(conditions ...db.Condition) db.Query {
		return db.Query{
			Table:   "rides",
			Columns: []string{"ride_id", "created_by", "departs_at"},
			Where:   append(conditions, db.Where("source", db.Eq, source), db.Where("destination", db.Eq, destination)),
			OrderBy: []db.Order{{Column: "departs_at"}, {Column: "ride_id"}},
			Limit:   db.Page,
		}
	}
	var rows []db.Row
	queries := []db.Query{query(db.Where("departs_at", db.Gt, f.Now()))}
	for {
		result, err := f.DB.Read(ctx, db.Read{Queries: queries})
		if err != nil {
			return nil, err
		}
		whole := true
		for _, r := range result.Results {
			if rows = append(rows, r.Rows...); len(r.Rows) == db.Page {
				whole = false
				break
			}
		}
		if whole {
			return rows, nil
		}
		if len(rows) == db.Page { // the first page: what follows may be long
			if err := f.long.Acquire(ctx, 1); err != nil {
				return nil, err
			}
			defer f.long.Release(1)
		}
		// Those that depart at the time of the last one come first.
		last := rows[len(rows)-1]
		at := last.Time("departs_at")
		queries = []db.Query{
			query(db.Where("departs_at", db.Eq, at), db.Where("ride_id", db.Gt, last.Int("ride_id"))),
			query(db.Where("departs_at", db.Gt, at)),
		}
	}
}
