package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"rideshare/gateway"
	"rideshare/internal/serve"
)

// front is a gateway in front of functions that have their replicas at addresses of 127.0.0.0/8.
type front struct {
	*testing.T
	url     string
	handler http.Handler // the gateway
	port    string       // of all replicas
}

// start starts a gateway and one replica for each handler. Each replica answers for all functions.
func start(t *testing.T, timeout time.Duration, handlers ...http.HandlerFunc) *front {
	t.Helper()
	f := &front{T: t}
	var addrs []netip.Addr
	var looked sync.Map // by host
	for i, h := range handlers {
		addr := netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)})
		addrs = append(addrs, addr)
		l, err := net.Listen("tcp", net.JoinHostPort(addr.String(), f.port))
		if err != nil {
			t.Fatal(err)
		}
		_, f.port, _ = net.SplitHostPort(l.Addr().String())
		if h == nil { // nothing listens there
			_ = l.Close()
			continue
		}
		f.serve(l, h)
	}
	handler, err := gateway.New(gateway.Config{
		Users: "users:" + f.port, Rides: "rides:" + f.port, Orchestrator: "orchestrator:" + f.port,
		Timeout: timeout, Logger: slog.New(slog.DiscardHandler),
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if _, again := looked.LoadOrStore(host, true); again {
				return nil, errors.New("the name server is away") // an address that was dropped does not come back
			}
			return addrs, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url, f.handler = "http://"+l.Addr().String(), handler
	f.serve(l, handler)
	return f
}

func (f *front) serve(l net.Listener, h http.Handler) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve.HTTP(ctx, l, h) }()
	f.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			f.Error(err)
		}
	})
}

// call returns the status and the body of an answer.
func (f *front) call(method, path, body string, header ...string) (int, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	// A client of its own for each call: net/http's would repeat requests on connections that it has kept.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to the end
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

// raw sends a text to the gateway, and returns what it answers until it closes the connection.
func (f *front) raw(text string) string {
	f.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // read to the end
	if _, err := io.WriteString(conn, text); err != nil {
		f.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// echo answers with what has come.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprintf(w, "%s %s %s key=%q for=%q %s", r.Method, r.Host, r.RequestURI, r.Header.Get("Idempotency-Key"), r.Header["X-Forwarded-For"], body)
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.Close()
}
