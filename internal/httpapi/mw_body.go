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

// Bodies of up to smallBody bytes are read at once. largeBodies larger ones are held at a time, so that slow
// clients cannot fill the memory with theirs.
const (
	smallBody   = 64 << 10
	largeBodies = 64
)

var errBusy = errors.New("too many large bodies")

// LimitBody returns a middleware that reads the whole body before anything else happens. So one place decides on
// what is too large (413), too slow (408), cut off (400) or one too many (503), chunked or not. No read deadline
// is left on the connection when the next handler begins: net/http takes one that passes for a client that is
// gone. The next handler can read the body again by the request's GetBody.
func LimitBody(limit int64) func(http.Handler) http.Handler {
	return LimitBodyOr(limit, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { tooLarge(limit).Write(w) })
	})
}

// LimitBodyOr is LimitBody with another handler for requests whose bodies are too large. That handler is made from the
// next one.
func LimitBodyOr(limit int64, larger func(next http.Handler) http.Handler) func(http.Handler) http.Handler {
	slots := make(chan struct{}, largeBodies)
	return func(next http.Handler) http.Handler {
		larger := larger(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > limit {
				larger.ServeHTTP(w, r)
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
			body, release, err := readBody(http.MaxBytesReader(w, r.Body, limit), slots)
			defer release()
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				w.Header().Set("Connection", "close") // and the deadline stays, as below
				larger.ServeHTTP(w, r)
				return
			}
			if err != nil {
				// The deadline stays: net/http reads what is left of the body before it answers, and
				// would do so for as long as a slow client likes.
				w.Header().Set("Connection", "close")
				bodyProblem(err).Write(w)
				return
			}
			_ = connection.SetReadDeadline(time.Time{})
			r = r.WithContext(withBody(r.Context(), body)) // a copy: the request is the server's
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
			r.Body, _ = r.GetBody()
			r.ContentLength, r.TransferEncoding, r.Trailer = int64(len(body)), nil, nil
			next.ServeHTTP(w, r)
		})
	}
}

// readBody reads the whole body. A large one takes a slot, until release is called.
func readBody(r io.Reader, slots chan struct{}) (body []byte, release func(), err error) {
	release = func() {}
	body, err = io.ReadAll(io.LimitReader(r, smallBody+1))
	if err != nil || len(body) <= smallBody {
		return body, release, err
	}
	select {
	case slots <- struct{}{}:
		release = func() { <-slots }
	default:
		return nil, release, errBusy
	}
	rest, err := io.ReadAll(r)
	return append(body, rest...), release, err
}

func bodyProblem(err error) *Problem {
	var slow net.Error
	switch {
	case errors.Is(err, errBusy):
		p := NewProblem(http.StatusServiceUnavailable, "too many requests with bodies of more than %d KiB are under way", smallBody>>10)
		p.header.Set("Retry-After", "1")
		return p
	case errors.As(err, &slow) && slow.Timeout():
		return NewProblem(http.StatusRequestTimeout, "the body did not arrive in time")
	default:
		return NewProblem(http.StatusBadRequest, "the body could not be read")
	}
}

func tooLarge(limit int64) *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", limit)
}
