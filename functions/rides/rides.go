// Package rides is the function for rides: creating, finding, joining, leaving, deleting and counting them.
package rides

import (
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"rideshare/functions/internal/account"
	"rideshare/functions/internal/lists"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
)

// Config is what the function depends on. Everything is required, but for an API that is only
// described and never served.
type Config struct {
	DB       dbclient.DB
	Areas    int64            // the number of the last area; the first one is 1
	Location *time.Location   // of timestamps
	Now      func() time.Time // decides which rides are upcoming
}

// New returns the function as a handler.
func New(o httpapi.Options, c Config) http.Handler {
	api := httpapi.New(o)
	Register(api, c)
	return api.Handler()
}

// Register adds the operations to an API.
func Register(api *httpapi.API, c Config) {
	c.DB = account.Bound(c.DB)
	f := &function{c, lists.Slots()}
	f.registerCreate(api)
	f.registerUpcoming(api)
	f.registerCount(api)
	f.registerGet(api)
	f.registerJoin(api)
	f.registerRemove(api)
	f.registerMine(api)
	f.registerLeave(api)
}

type function struct {
	Config
	long *semaphore.Weighted // of lists of more than one page
}

const tag = "Rides"
