package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestLogAccess(t *testing.T) {
	var log bytes.Buffer
	handler := func(level slog.Level) http.Handler {
		return logAccess(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))(reply(http.StatusTeapot))
	}
	do(handler(slog.LevelDebug), http.MethodGet, "/some%0Apath", nil)
	for _, want := range []string{"level=DEBUG", "method=GET", `path="/some\npath"`, "status=418"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, &log)
		}
	}
	log.Reset()
	if w := do(handler(slog.LevelInfo), http.MethodGet, "/", nil); w.Code != http.StatusTeapot || log.Len() > 0 {
		t.Errorf("%d, log %s", w.Code, &log)
	}
}
