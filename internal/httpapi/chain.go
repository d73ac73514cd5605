package httpapi

import (
	"net/http"
	"slices"
)

type middleware func(http.Handler) http.Handler

// chain returns h inside the middleware, the first of which is outermost.
func chain(h http.Handler, ms ...middleware) http.Handler {
	for _, m := range slices.Backward(ms) {
		h = m(h)
	}
	return h
}

// response is a ResponseWriter that knows what was answered.
type response struct {
	http.ResponseWriter
	status   int // 0: nothing yet
	bytes    int64
	onHeader []func(http.Header) // called just before the header is written
}

// track returns w as a response: w itself where an outer middleware has made it one already.
func track(w http.ResponseWriter) *response {
	if r, ok := w.(*response); ok {
		return r
	}
	return &response{ResponseWriter: w}
}

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
		if status == http.StatusNoContent {
			r.Header().Del("Content-Type") // huma sets one
		}
		for _, f := range r.onHeader {
			f(r.Header())
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *response) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }
