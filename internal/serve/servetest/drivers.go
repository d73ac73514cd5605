package servetest

import (
	"log/slog"
	"net/http"
	"testing"

	"rideshare/internal/serve"
)

// Driver puts a way of being served before a handler.
type Driver func(http.Handler) http.Handler

// Direct passes requests to the handler as they are.
func Direct(h http.Handler) http.Handler { return h }

// Events passes requests to the handler as the events of a Lambda function.
func Events(h http.Handler) http.Handler {
	return Gateway(serve.NewFunction(h, "", slog.New(slog.DiscardHandler), nil).Invoke)
}

// Each runs a test with every driver.
func Each(t *testing.T, test func(*testing.T, Driver)) {
	t.Helper()
	t.Run("direct", func(t *testing.T) { test(t, Direct) })
	t.Run("events", func(t *testing.T) { test(t, Events) })
}
