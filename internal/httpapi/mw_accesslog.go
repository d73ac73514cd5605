package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// logAccess logs every request, at debug level.
func logAccess(log *slog.Logger) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !log.Enabled(r.Context(), slog.LevelDebug) {
				next.ServeHTTP(w, r)
				return
			}
			start, answer := time.Now(), track(w)
			next.ServeHTTP(answer, r)
			log.DebugContext(r.Context(), "request", "request", RequestID(r.Context()),
				"method", clip(r.Method), "path", clip(r.URL.Path), "status", answer.status,
				"bytes", answer.bytes, "duration", time.Since(start), "remote", r.RemoteAddr)
		})
	}
}
