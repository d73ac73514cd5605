// Package serve runs an http.Handler.
package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"rideshare/internal/httpapi"
)

// The limits of a connection. They are above what a request may take (10 s), and below what would
// let slow clients pile up.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 10 * time.Second
	drainTime         = time.Second
	maxHeaderBytes    = 64 << 10
)

// HTTP serves the handler on the listener until ctx ends, on up to MaxConnections connections. Then it lets its
// connections end with their next answer, for up to 1 s; takes no more of them, and waits up to 10 s for the
// requests under way.
func HTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	return limited(ctx, l, h, MaxConnections)
}

func limited(ctx context.Context, l net.Listener, h http.Handler, most int) error {
	open := newConnections(most)
	server := &http.Server{
		Handler:           open.refuse(lastAnswers(ctx, h)),
		ConnContext:       open.begin,
		ConnState:         open.changed,
		BaseContext:       func(net.Listener) context.Context { return httpapi.WithEnding(context.WithoutCancel(ctx), ctx.Done()) },
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	open.drain(drainTime)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(err, server.Close())
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// lastAnswers ends each connection with its next answer once ctx has ended. A gateway keeps
// connections, and a request that it sends on one that is closed at this moment is lost: whether it
// was carried out is not known, so it is not sent again.
func lastAnswers(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
