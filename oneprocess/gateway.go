package oneprocess

import (
	"net/http"
	"strings"
)

// gateway passes each path to its function, as the gateway before the containers does.
type gateway struct {
	users, rides, orchestrator http.Handler
}

// ServeHTTP implements http.Handler.
func (g gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	switch {
	case !strings.HasPrefix(r.URL.Path, "/api/v1/"):
		g.rides.ServeHTTP(w, r) // health, metrics and documents: any function has them
	case first == "users", first == "sessions":
		g.users.ServeHTTP(w, r)
	case first == "db", first == "crash", first == "worker", first == "cluster":
		g.orchestrator.ServeHTTP(w, r)
	default:
		g.rides.ServeHTTP(w, r)
	}
}
