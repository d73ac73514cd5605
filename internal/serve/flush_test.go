package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/serve"
)

// An invocation waits for its flush, but neither long nor until its own deadline, and never fails by it.
func TestFlush(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, c := range map[string]struct {
		deadline time.Duration // 0: none
		flush    func(context.Context) error
		takes    time.Duration
		logs     string
	}{
		"at once":             {10 * time.Second, func(context.Context) error { return nil }, 0, ""},
		"fails":               {10 * time.Second, func(context.Context) error { return errors.New("no collector") }, 0, "no collector"},
		"hangs":               {10 * time.Second, hang, 500 * time.Millisecond, "deadline"},
		"hangs, no deadline":  {0, hang, 500 * time.Millisecond, "deadline"},
		"hangs, little left":  {200 * time.Millisecond, hang, 100 * time.Millisecond, "deadline"},
		"hangs, nothing left": {time.Nanosecond, hang, 0, "deadline"},
		"there is none":       {10 * time.Second, nil, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				answered, flushed := false, false
				h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, "body")
					answered = true
				})
				flush := c.flush
				if flush != nil {
					flush = func(ctx context.Context) error {
						if flushed = true; !answered {
							t.Error("it was flushed before the request was answered")
						}
						return c.flush(ctx)
					}
				}
				ctx := t.Context()
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				payload, err := json.Marshal(event(nil))
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				f := serve.NewFunction(h, "", slog.New(slog.NewTextHandler(&log, nil)), flush)
				out, err := f.Invoke(ctx, payload)
				if err != nil || !strings.Contains(string(out), `"body":"body"`) {
					t.Errorf("%s %v", out, err)
				}
				if took := time.Since(begun).Round(time.Millisecond); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
				if flushed != (c.flush != nil) {
					t.Errorf("flushed: %v", flushed)
				}
				if logged := log.String(); !strings.Contains(logged, c.logs) || c.logs == "" && logged != "" {
					t.Errorf("logged %q", logged)
				}
			})
		})
	}
}
