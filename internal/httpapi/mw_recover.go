package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// recoverPanics answers 500 when a handler panics, and logs it.
func recoverPanics(log *slog.Logger) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := track(w)
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if v == http.ErrAbortHandler { //nolint:errorlint // what was panicked with, not an error chain
					panic(v)
				}
				log.ErrorContext(r.Context(), "panic", "request", RequestID(r.Context()),
					"method", r.Method, "path", clip(r.URL.Path),
					"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				if answer.status != 0 {
					// Half an answer is out: cut the connection, so that nobody takes it for a whole one.
					panic(http.ErrAbortHandler)
				}
				NewProblem(http.StatusInternalServerError, "internal error").Write(answer)
			}()
			next.ServeHTTP(answer, r)
		})
	}
}
