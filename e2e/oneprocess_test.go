// Package e2e_test runs complete systems and tests them from the outside.
package e2e_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/e2e/apitest"
	"rideshare/internal/config"
	"rideshare/internal/serve"
	"rideshare/oneprocess"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOneProcess tries the contract against everything in one process.
func TestOneProcess(t *testing.T) {
	for _, auth := range []string{"off", "on"} {
		t.Run("auth "+auth, func(t *testing.T) {
			t.Parallel()
			apitest.Run(t, start(t, auth))
		})
	}
}

// TestCrowd: connections that do nothing, and such that never finish a request, stop nobody.
func TestCrowd(t *testing.T) {
	t.Parallel()
	apitest.Crowd(t, start(t, "off"))
}

// start runs a system until the end of the test, and waits until it is ready.
func start(t *testing.T, auth string) apitest.Target {
	t.Helper()
	return startAs(t, auth, func(*oneprocess.Config) {})
}

// startAs is start with a configuration that is changed.
func startAs(t *testing.T, auth string, change func(*oneprocess.Config)) apitest.Target {
	t.Helper()
	c, err := config.Load[oneprocess.Config](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Auth, c.Data, c.Unsafe, c.CheapPasswords = auth, t.TempDir(), true, true
	change(&c)
	system, err := oneprocess.New(c, "0.0.0-test", slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, system.Run)
	run(t, func(ctx context.Context) error { return serve.HTTP(ctx, listener, system.Handler()) })
	url := "http://" + listener.Addr().String()
	awaitReady(t, url)
	return apitest.Target{URL: url, ServiceToken: system.ServiceToken(), Auth: auth == "on"}
}

// run runs f until the end of the test. What was started last ends first: the server before the
// system.
func run(t *testing.T, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("at the end: %v", err)
		}
	})
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		resp, err := client.Get(url + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatal("GET /readyz: not 200 within 20 s")
}
