package gateway

import (
	"net/http"
	"strings"
)

// Function names one of the functions behind the gateway.
type Function int

// The functions.
const (
	Rides Function = iota // also whatever belongs to no function: health, metrics, documents, pages
	Users
	Orchestrator
)

// String returns the name of the function's service.
func (f Function) String() string { return [...]string{"rides", "users", "orchestrator"}[f] }

// prefix begins the paths of the API.
const prefix = "/api/v1/"

// Route returns the function that answers requests for the path.
func Route(path string) Function {
	if !strings.HasPrefix(path, prefix) {
		return Rides
	}
	switch resource(path) {
	case "users", "sessions":
		return Users
	case "db", "crash", "worker", "cluster":
		return Orchestrator
	default:
		return Rides
	}
}

// resource returns the first element of a path of the API.
func resource(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, prefix), "/")
	return first
}

// kind says what happens if a request is executed twice.
type kind int

const (
	once     kind = iota // a command, which must reach a function at most once
	harmless             // a request that changes nothing
	keyed                // a write, which is executed once however often it comes with the same Idempotency-Key
)

// kindOf returns the kind of the request.
func kindOf(r *http.Request) kind {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return harmless
	case http.MethodPost, http.MethodPut, http.MethodDelete:
	default:
		return once // the functions refuse it
	}
	switch resource(r.URL.Path) {
	case "crash", "cluster":
		return once
	case "db":
		if r.URL.Path == prefix+"db/read" {
			return harmless
		}
	case "sessions":
		if r.Method == http.MethodPost { // a new token leaves no trace in the system
			return harmless
		}
	}
	return keyed
}
