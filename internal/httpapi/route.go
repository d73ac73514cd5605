package httpapi

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// route passes the request to its operation. ServeMux answers what it has no pattern for in plain
// text; the caller gets a problem.
func (a *API) route(w http.ResponseWriter, r *http.Request) {
	// ServeMux takes a path that stands for itself, with a method that it does not have, for one
	// that fits a wildcard: DELETE /rides/count for a ride named count.
	if methods := a.methods[r.URL.Path]; len(methods) > 0 && !slices.Contains(methods, r.Method) {
		methodNotAllowed(w, r, strings.Join(methods, ", "))
		return
	}
	h, pattern := a.mux.Handler(r)
	// ServeMux would redirect a path that is not clean. Whether a gateway has cleaned it before is
	// nothing that a client should see.
	escaped := r.URL.EscapedPath()
	if clean := path.Clean(escaped); pattern != "" && (escaped == clean || escaped == clean+"/") {
		noteRoute(r.Context(), pattern)
		a.mux.ServeHTTP(w, r)
		return
	}
	answer := headerOnly{header: http.Header{}}
	h.ServeHTTP(&answer, r)
	if answer.status == http.StatusMethodNotAllowed {
		methodNotAllowed(w, r, answer.header.Get("Allow"))
		return
	}
	// Else it is a 404, or a redirect to a cleaned path.
	NewProblem(http.StatusNotFound, "there is nothing at this path").Write(w)
}

// note notes that there is an operation. Where there is a GET, ServeMux answers HEAD, too.
func (a *API) note(op huma.Operation) {
	a.public[op.Method+" "+op.Path] = !wants(op, Service)
	a.methods[op.Path] = append(a.methods[op.Path], op.Method)
	if op.Method == http.MethodGet {
		a.methods[op.Path] = append(a.methods[op.Path], http.MethodHead)
	}
	slices.Sort(a.methods[op.Path])
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	NewProblem(http.StatusMethodNotAllowed, "%s is not a method of this path", clip(r.Method)).Write(w)
}

// headerOnly is a ResponseWriter that keeps the status and the header.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h *headerOnly) WriteHeader(status int)      { h.status = status }
