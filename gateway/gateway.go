// Package gateway is the front door of the containers. It passes each request to a replica of the function
// that its path belongs to.
//
// The gateway reads the whole body of a request before it asks a function. A body that breaks off, stops
// coming or is too large therefore costs no function anything. If a function dies before it has answered, the
// gateway sends the request to the next replica, unless executing it twice would do harm.
package gateway

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"github.com/google/uuid"

	"rideshare/internal/httpapi"
)

const (
	keyHeader = "Idempotency-Key"
	// slow is how long a client may take to receive a part of an answer (32 KiB at most).
	slow = 30 * time.Second
)

// Config configures a gateway.
type Config struct {
	// Users, Rides and Orchestrator are the functions, as host:port. Each address of the host is a replica.
	Users, Rides, Orchestrator string
	// Timeout is how long a function may take to begin its answer. The gateway answers 504 then.
	Timeout time.Duration
	// Logger gets what fails between the gateway and the functions.
	Logger *slog.Logger
	// Lookup finds the addresses of a host. Nil asks DNS.
	Lookup Lookup
}

// New returns a gateway. GET /gateway/healthz answers 200 whether or not a function can be reached.
// An error means that an address in the configuration is not host:port.
func New(c Config) (http.Handler, error) {
	t, err := newTransport(c)
	if err != nil {
		return nil, err
	}
	g := &gateway{logger: c.Logger, proxy: &httputil.ReverseProxy{
		Rewrite:    rewrite,
		Transport:  t,
		BufferPool: &buffers{},
		ModifyResponse: func(answer *http.Response) error {
			if streams(answer) {
				endWithServer(answer)
			}
			return nil
		},
		ErrorLog: slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug), // clients that go away while they are answered
	}}
	g.proxy.ErrorHandler = g.failed
	return httpapi.LimitBodyOr(httpapi.MaxBody, tooLarge)(g), nil
}

// tooLarge handles requests whose bodies are too large. It sends them on with 1 MiB and 1 byte of zeros as the body,
// which the function refuses: its answer has headers that the gateway cannot know, such as Consistency-Token.
func tooLarge(next http.Handler) http.Handler {
	body := make([]byte, httpapi.MaxBody+1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // nobody reads the rest
		r = r.WithContext(r.Context())        // a copy
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
		r.ContentLength, r.TransferEncoding, r.Trailer = int64(len(body)), nil, nil
		next.ServeHTTP(w, r)
	})
}

type gateway struct {
	logger *slog.Logger
	proxy  *httputil.ReverseProxy
}

// ServeHTTP implements http.Handler. The body has been read.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/gateway/healthz" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if p := refusal(r); p != nil {
		p.Write(w)
		return
	}
	r.Header.Del("Upgrade") // no function speaks anything else
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	// The server's limit on a whole answer would end a stream of events. Each write has its own.
	g.proxy.ServeHTTP(&patient{w, http.NewResponseController(w)}, r.WithContext(context.WithValue(ctx, cancelKey{}, cancel)))
}

// hostCharacters may stand in a name or an address with a port. If a host has others, net/http refuses to send the
// request or sends it without the host.
const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%:[]"

// cancelKey is the key of a function in the context of a request that ends it.
type cancelKey struct{}

// endWithServer ends a stream of events when the server begins to end: it waits for requests under way.
func endWithServer(answer *http.Response) {
	ctx := answer.Request.Context()
	cancel, ok := ctx.Value(cancelKey{}).(context.CancelFunc)
	ending := httpapi.Ending(ctx)
	if !ok || ending == nil {
		return
	}
	answer.Body = &untilEnding{answer.Body, ending}
	go func() {
		select {
		case <-ending:
			cancel()
		case <-ctx.Done():
		}
	}()
}

// untilEnding is the body of an answer that is over when the server ends.
type untilEnding struct {
	io.ReadCloser
	ending <-chan struct{}
}

// Read implements io.Reader.
func (u *untilEnding) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil {
		select {
		case <-u.ending:
			return n, io.EOF
		default:
		}
	}
	return n, err
}

// refusal returns what is wrong with a request that net/http could not send on as it came.
func refusal(r *http.Request) *httpapi.Problem {
	switch {
	case r.Method == http.MethodConnect:
		return httpapi.NewProblem(http.StatusMethodNotAllowed, "this is no proxy")
	case r.URL.Opaque != "" || !strings.HasPrefix(r.URL.Path, "/"):
		return httpapi.NewProblem(http.StatusBadRequest, "the request's target is no path")
	case r.Host == "" || strings.Trim(r.Host, hostCharacters) != "":
		return httpapi.NewProblem(http.StatusBadRequest, "Host is missing, or is not a name or address")
	}
	return nil
}

// rewrite makes the request to the function of the request that came.
func rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme = "http"
	p.Out.URL.RawQuery = p.In.URL.RawQuery // also what cannot be parsed: the functions refuse it
	p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	p.SetXForwarded() // appends
	p.Out.Header.Del("Expect")
	// net/http sends a request with one of these headers again if the function closes the connection.
	p.Out.Header.Del("X-Idempotency-Key")
	switch kindOf(p.Out) {
	case keyed:
		if _, ok := p.Out.Header[keyHeader]; !ok {
			p.Out.Header.Set(keyHeader, uuid.NewString())
		}
	case once:
		p.Out.Header.Del(keyHeader)
	case harmless:
	}
}

// failed answers a request that no function has answered.
func (g *gateway) failed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	function := Route(r.URL.Path)
	g.logger.Warn("a request has failed", "function", function.String(), "method", r.Method, "path", r.URL.Path, "error", err)
	if isTimeout(err) && !unreached(err) {
		httpapi.NewProblem(http.StatusGatewayTimeout,
			"%s has not answered in time; whether it executes the request is not known: repeat it with the same Idempotency-Key", function).Write(w)
		return
	}
	httpapi.NewProblem(http.StatusBadGateway,
		"%s cannot be reached, or ended before it answered: repeat the request with the same Idempotency-Key", function).Write(w)
}

// patient gives each write of an answer a deadline of its own.
type patient struct {
	http.ResponseWriter
	connection *http.ResponseController
}

// Write implements http.ResponseWriter.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.connection.SetWriteDeadline(time.Now().Add(slow)) // a recorder of a test has none
	return p.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
