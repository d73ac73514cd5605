package rides

import (
	"errors"
	"strconv"

	"rideshare/internal/httpapi"
)

// RidePath is the rideId in a path. It is exported because huma looks into no other embedded types.
type RidePath struct {
	RideID string `path:"rideId" doc:"Number of the ride" pattern:"^[0-9]+$" patternDescription:"an unsigned number" example:"7"`
}

// id returns the number of the ride; false where it is larger than any ride's can be.
func (p RidePath) id() (n int64, possible bool, err error) {
	u, err := strconv.ParseUint(p.RideID, 10, 63)
	switch {
	case err == nil:
		return int64(u), true, nil
	case errors.Is(err, strconv.ErrRange):
		return 0, false, nil
	default:
		return 0, false, httpapi.BadRequest("rideId", "must be an unsigned number")
	}
}

func noSuchRide() error { return httpapi.BadRequest("rideId", "there is no such ride") }
