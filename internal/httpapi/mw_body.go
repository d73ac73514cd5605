package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// bodyTimeout is how long a client may take to send its body.
const bodyTimeout = 10 * time.Second

// limitBody reads the body before anything else happens: so one place decides on what is too large,
// too slow or cut off, chunked or not, and no read deadline is left on the connection when the
// operation begins: net/http takes one that passes for a client that is gone.
func limitBody(limit int64) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > limit {
				tooLarge(limit).Write(w)
				return
			}
			if r.Body == nil || r.Body == http.NoBody {
				if r.Method != http.MethodGet {
					r = r.WithContext(withBody(r.Context(), nil))
				}
				next.ServeHTTP(w, r)
				return
			}
			// Recorders and the Lambda adapter have no deadlines to set, nor slow clients.
			connection := http.NewResponseController(w)
			_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout))
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
			if err != nil {
				// The deadline stays: net/http reads what is left of the body before it answers, and
				// would do so for as long as a slow client likes.
				w.Header().Set("Connection", "close")
				bodyProblem(err, limit).Write(w)
				return
			}
			_ = connection.SetReadDeadline(time.Time{})
			r = r.WithContext(withBody(r.Context(), body)) // a copy: the request is the server's
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.ContentLength = int64(len(body))
			next.ServeHTTP(w, r)
		})
	}
}

func bodyProblem(err error, limit int64) *Problem {
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		return tooLarge(limit)
	case errors.As(err, &slow) && slow.Timeout():
		return NewProblem(http.StatusRequestTimeout, "the body did not arrive in time")
	default:
		return NewProblem(http.StatusBadRequest, "the body could not be read")
	}
}

func tooLarge(limit int64) *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", limit)
}
