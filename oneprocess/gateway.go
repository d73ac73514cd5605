package oneprocess

import (
	"net/http"

	"rideshare/gateway"
)

// functions passes each request to its function, as the gateway does in front of the containers.
type functions map[gateway.Function]http.Handler

// ServeHTTP implements http.Handler.
func (f functions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f[gateway.Route(r.URL.Path)].ServeHTTP(w, r)
}
