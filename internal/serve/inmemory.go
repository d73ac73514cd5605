package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// errAborted is what a client sees of a handler that panicked: over a network it would be a
// connection that was closed.
var errAborted = errors.New("serve: the handler aborted the answer")

// InMemory is a transport that calls the handler directly, in the caller's goroutine, for a client
// and a server in one process. The handler gets the deadline and the cancellation of the request's
// context, and has to respect them. Nothing else crosses: neither values of the context, nor the
// request's header and URL themselves, of which it gets copies.
func InMemory(h http.Handler) http.RoundTripper { return inMemory{h} }

type inMemory struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inMemory) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }() // it was read, or nobody wants it
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	answer := &recorder{header: http.Header{}}
	defer func() {
		if recover() != nil {
			resp, err = nil, errAborted
		}
	}()
	t.handler.ServeHTTP(answer, received(req))
	return answer.response(req), nil
}

// received returns the request as a server sees it.
func received(req *http.Request) *http.Request {
	r := req.Clone(bare{req.Context()})
	r.URL = &url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery}
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:0"
	if r.Host == "" {
		r.Host = req.URL.Host
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return r
}

// bare is a context without its values.
type bare struct{ context.Context }

// Value implements context.Context.
func (bare) Value(any) any { return nil }

// AfterFunc lets contexts that are derived from it wait without a goroutine each.
func (b bare) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(b.Context, f) }

// recorder is the http.ResponseWriter.
type recorder struct {
	header, sent http.Header // sent is the header as it was when the status was written
	status       int
	body         bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status, r.sent = status, r.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func (r *recorder) response(req *http.Request) *http.Response {
	r.WriteHeader(http.StatusOK) // for a handler that wrote nothing
	return &http.Response{
		Status:        http.StatusText(r.status),
		StatusCode:    r.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.sent,
		Body:          io.NopCloser(&r.body),
		ContentLength: int64(r.body.Len()),
		Request:       req,
	}
}
