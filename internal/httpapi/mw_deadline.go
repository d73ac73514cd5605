package httpapi

import (
	"context"
	"net/http"
	"time"
)

// answerMargin is what is left of a deadline that came with the request, for answering in time: a
// Lambda function that reaches its own is killed without an answer.
const answerMargin = 500 * time.Millisecond

// limitTime gives every request a deadline.
func limitTime(most time.Duration) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			limit := most
			if deadline, ok := r.Context().Deadline(); ok {
				limit = min(limit, time.Until(deadline)-answerMargin)
			}
			// Streams have no deadline: see Events.
			connection := context.WithValue(r.Context(), connectionKey{}, r.Context())
			ctx, cancel := context.WithTimeout(connection, limit)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}
