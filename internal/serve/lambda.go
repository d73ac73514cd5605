package serve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"rideshare/internal/httpapi"
)

// maxAnswer is the size of the largest answer that Lambda takes, in bytes. It refuses a larger one,
// and its library then ends the process.
const maxAnswer = 6 << 20

// errNoRequest: the function was invoked with something else than a request.
var errNoRequest = errors.New("serve: the event is no request in payload format 2.0")

// Function is a handler as a Lambda function. It answers the events of API Gateway's HTTP APIs and
// of function URLs, which have one form: payload format 2.0.
//
// The API proxy, which is no longer maintained, makes the request and the event of the answer. What
// it gets wrong is set right here, so that a handler is served as net/http does it:
//
//   - it fails where a handler writes nothing, and lets the last WriteHeader win;
//   - a panic ends the process, and the next caller waits for a new one;
//   - it parses the path as part of a URL, and fails where the gateway has decoded that;
//   - it takes a stage for a part of the path, and strips a base path wherever one begins like it;
//   - it splits headers at commas: of X-Forwarded-For the first part would count, which is the
//     client's own claim;
//   - it gives the address of the client without a port;
//   - a body that is no base64 fails the invocation.
type Function struct {
	handler http.Handler
	base    string
	logger  *slog.Logger
	flush   func(context.Context) error // nil: there is nothing to flush
}

// NewFunction returns the handler as a function. The base is what paths begin with where the
// function stands behind a gateway that maps a part of its paths to it, as "/rideshare"; it may be
// empty. The handler does not see it, and neither the stage of an HTTP API. Flush may be nil: see Options.
func NewFunction(h http.Handler, base string, logger *slog.Logger, flush func(context.Context) error) *Function {
	if base = strings.Trim(base, "/"); base != "" {
		base = "/" + base
	}
	return &Function{handler: h, base: base, logger: logger, flush: flush}
}

// run serves invocations until ctx ends, which SIGTERM brings about: Lambda sends it, some 500 ms
// before it kills, to those who ask for it. Where the runtime's API fails the library ends the
// process; Lambda starts another one.
func (f *Function) run(ctx context.Context) error {
	go lambda.StartWithOptions(f, lambda.WithEnableSIGTERM())
	<-ctx.Done()
	return nil
}

// Invoke implements lambda.Handler. An error means that the event is no request.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoRequest, err)
	}
	if event.Version != "2.0" || event.RequestContext.HTTP.Method == "" {
		return nil, errNoRequest
	}
	defer f.flushSoon(ctx)
	answer, err := f.proxy(ctx, event, f.handler)
	if err != nil || len(answer) <= maxAnswer {
		return answer, err
	}
	f.logger.ErrorContext(ctx, "the answer is larger than Lambda takes", "path", event.RawPath, "bytes", len(answer))
	return f.proxy(ctx, event, problem(http.StatusInternalServerError, "the answer is larger than 6 MB, which is what Lambda takes: ask for a part of it"))
}

// proxy passes the event to a handler, and returns the event that is the answer.
func (f *Function) proxy(ctx context.Context, event events.APIGatewayV2HTTPRequest, h http.Handler) ([]byte, error) {
	body, err := decode(event)
	if err != nil {
		h = problem(http.StatusBadRequest, "the body is not valid base64")
	}
	adapter := httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asServed(r, event)
		f.serve(w, r, h)
	}))
	// The proxy gets only what it deals with correctly.
	response, err := adapter.ProxyWithContext(ctx, events.APIGatewayV2HTTPRequest{
		Body: body,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: event.RequestContext.HTTP.Method},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoRequest, err)
	}
	var answer bytes.Buffer
	encoder := json.NewEncoder(&answer)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(response)
	return answer.Bytes(), err
}

func decode(event events.APIGatewayV2HTTPRequest) (string, error) {
	if !event.IsBase64Encoded {
		return event.Body, nil
	}
	body, err := base64.StdEncoding.DecodeString(event.Body)
	return string(body), err
}

// asServed makes the request what a server would have made of it.
func (f *Function) asServed(r *http.Request, event events.APIGatewayV2HTTPRequest) {
	r.Header = http.Header{}
	for name, value := range event.Headers {
		r.Header.Set(name, value) // repeated ones are one already, with commas between
	}
	if len(event.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	r.Host = cmp.Or(r.Header.Get("Host"), event.RequestContext.DomainName)
	r.Header.Del("Host")
	r.RemoteAddr = net.JoinHostPort(event.RequestContext.HTTP.SourceIP, "0")
	r.URL = location(f.path(event))
	r.URL.RawQuery = query(event)
	r.RequestURI = r.URL.RequestURI()
}

// path returns the path of the event without what stands before those of the function.
func (f *Function) path(event events.APIGatewayV2HTTPRequest) string {
	path := cmp.Or(event.RawPath, event.RequestContext.HTTP.Path, "/")
	if stage := event.RequestContext.Stage; stage != "" && stage != "$default" {
		path = strip(path, "/"+stage)
	}
	return strip(path, f.base)
}

// strip takes the base from the beginning of a path, where that is made of whole segments.
func strip(path, base string) string {
	rest, ok := strings.CutPrefix(path, base)
	if !ok || rest != "" && rest[0] != '/' {
		return path
	}
	return cmp.Or(rest, "/")
}

// location returns the URL of a path. Function URLs hand paths over as they were sent, HTTP APIs
// decode them, and events do not say which: a path that is correctly percent-encoded counts as
// encoded. See docs/decisions/0011.
func location(path string) *url.URL {
	decoded, err := url.PathUnescape(path)
	if u := (&url.URL{Path: decoded, RawPath: path}); err == nil && u.EscapedPath() == path {
		return u
	}
	return &url.URL{Path: path}
}

// query returns the query as it was sent, or made of its parts where an emulator gives only those.
func query(event events.APIGatewayV2HTTPRequest) string {
	if event.RawQueryString != "" {
		return event.RawQueryString
	}
	values := url.Values{}
	for name, value := range event.QueryStringParameters {
		values.Set(name, value)
	}
	return values.Encode()
}

// serve has a handler answer the request, and writes that as a whole.
func (f *Function) serve(w http.ResponseWriter, r *http.Request, h http.Handler) {
	answer := &recorder{header: http.Header{}}
	if !f.attempt(answer, r, h) {
		answer = &recorder{header: http.Header{}}
		problem(http.StatusInternalServerError, "internal error").ServeHTTP(answer, r)
	}
	answer.WriteHeader(http.StatusOK) // for a handler that wrote nothing
	for name, values := range answer.sent {
		if len(values) > 0 {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.status)
	if answer.body.Len() > 0 && r.Method != http.MethodHead && answer.status != http.StatusNoContent && answer.status != http.StatusNotModified {
		_, _ = w.Write(answer.body.Bytes()) // to memory: it cannot fail
	}
}

// attempt calls the handler. It returns false where that panics.
func (f *Function) attempt(w http.ResponseWriter, r *http.Request, h http.Handler) (ok bool) {
	defer func() {
		v := recover()
		if v != nil && v != http.ErrAbortHandler { //nolint:errorlint // what was panicked with, not an error chain
			f.logger.ErrorContext(r.Context(), "panic", "method", r.Method, "path", r.URL.Path,
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
		ok = v == nil
	}()
	h.ServeHTTP(w, r)
	return true
}

// problem is a handler that always answers the same.
func problem(status int, detail string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		httpapi.NewProblem(status, "%s", detail).Write(w)
	})
}
