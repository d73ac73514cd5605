package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"rideshare/internal/httpapi"
)

const (
	// patience is how long a request is tried: as long as a function takes to be replaced on a busy machine.
	patience = 15 * time.Second
	// interval lies between two tries.
	interval = 50 * time.Millisecond
	// dialTimeout is short, because nothing refuses a connection to the address of a container that is gone.
	dialTimeout = 500 * time.Millisecond
	// idleTimeout is below that of the functions (2 minutes), which would close a connection while the gateway
	// sends a request on it.
	idleTimeout = time.Minute
	// idleConnections is above the number of requests that a function answers at once. The gateway would close
	// the other connections, and dial again for the next requests.
	idleConnections = 1024
	// writePatience is how long a replica may take to receive what a connection can hold.
	writePatience = 10 * time.Second
	// wholeAnswer is the size in bytes up to which an answer is read whole before the client gets it.
	wholeAnswer = 64 << 10
)

// transport sends requests to the replicas of functions. It implements http.RoundTripper.
type transport struct {
	functions map[Function]*replicas
	base      http.RoundTripper
}

func newTransport(c Config) (*transport, error) {
	lookup := c.Lookup
	if lookup == nil {
		lookup = resolve
	}
	t := &transport{functions: map[Function]*replicas{}, base: &http.Transport{
		DialContext:           dial(c.Timeout + idleTimeout),
		DisableCompression:    true,
		MaxIdleConnsPerHost:   idleConnections,
		IdleConnTimeout:       idleTimeout,
		ResponseHeaderTimeout: c.Timeout,
	}}
	for function, address := range map[Function]string{Users: c.Users, Rides: c.Rides, Orchestrator: c.Orchestrator} {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", function, err)
		}
		t.functions[function] = &replicas{host: host, port: port, lookup: lookup}
	}
	return t, nil
}

// dial returns a DialContext. A replica that is silent on one of its connections for that long, or that stops
// receiving, is given up: net/http has no limit of time for the rest of an answer, nor for sending a request.
func dial(silence time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bounded{conn, silence}, nil
	}
}

// bounded is a connection on which no call waits for ever.
type bounded struct {
	net.Conn
	silence time.Duration
}

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	if err := b.SetReadDeadline(time.Now().Add(b.silence)); err != nil {
		return 0, err
	}
	return b.Conn.Read(p)
}

// Write implements net.Conn.
func (b *bounded) Write(p []byte) (int, error) {
	if err := b.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return 0, err
	}
	return b.Conn.Write(p)
}

// RoundTrip implements http.RoundTripper. It tries until a replica answers, for 15 s. A request that a replica
// may have executed is sent to another one only if that does no harm.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	function := t.functions[Route(r.URL.Path)]
	again := kindOf(r) != once
	for begun := time.Now(); ; {
		answer, err := t.try(r, function, again)
		if err == nil {
			return answer, nil
		}
		if !unreached(err) && (!again || isTimeout(err)) || time.Since(begun) >= patience {
			return nil, err
		}
		select {
		case <-time.After(interval):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// try sends the request to one replica. If whole is set, an answer of up to 64 KiB is read whole, unless it is a
// stream of events: an answer that breaks off is an error.
func (t *transport) try(r *http.Request, function *replicas, whole bool) (*http.Response, error) {
	addr, err := function.pick(r.Context())
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", function.host, err)}
	}
	out := r.WithContext(r.Context())
	target := *r.URL
	target.Host = net.JoinHostPort(addr.String(), function.port)
	out.URL = &target
	if r.GetBody != nil {
		if out.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	answer, err := t.base.RoundTrip(out)
	if err != nil {
		if unreached(err) {
			function.drop(addr)
		}
		return nil, err
	}
	if whole && r.Method != http.MethodHead && !streams(answer) {
		return begin(answer)
	}
	return answer, nil
}

// begin reads the first 64 KiB of an answer's body. An answer that is no longer has been read whole.
func begin(answer *http.Response) (*http.Response, error) {
	head, err := io.ReadAll(io.LimitReader(answer.Body, wholeAnswer+1))
	if err != nil {
		_ = answer.Body.Close() // the connection is lost
		return nil, fmt.Errorf("the answer breaks off: %w", err)
	}
	if len(head) > wholeAnswer {
		answer.Body = &rest{io.MultiReader(bytes.NewReader(head), answer.Body), answer.Body}
		return answer, nil
	}
	_ = answer.Body.Close() // it has been read
	answer.Body = io.NopCloser(bytes.NewReader(head))
	if answer.ContentLength < 0 {
		answer.ContentLength, answer.TransferEncoding = int64(len(head)), nil
		answer.Header.Set("Content-Length", strconv.Itoa(len(head)))
	}
	return answer, nil
}

// rest is the body of an answer that has been read in part.
type rest struct {
	io.Reader
	io.Closer
}

// streams reports whether an answer is a stream of events, which goes on for as long as the client listens.
func streams(answer *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return mediaType == httpapi.EventType
}

// unreached reports whether the request has reached no replica.
func unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// buffers implements httputil.BufferPool.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 32<<10)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }
