package httpapi

import (
	"net/http"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
)

// consistencyTokens reads the caller's Consistency-Token, and puts one on every answer: the newest
// position that the request knows, or else the newest that this instance knows.
func consistencyTokens(newest func() db.Position) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := db.ParsePosition(r.Header.Get(consistency.Header))
			request := consistency.NewRequest(token)
			answer := track(w)
			answer.onHeader = append(answer.onHeader, func(h http.Header) {
				p := request.Newest()
				if p == (db.Position{}) {
					p = newest()
				}
				h.Set(consistency.Header, p.String())
			})
			if err != nil {
				BadRequest(consistency.Header, "%s", err).Write(answer)
				return
			}
			next.ServeHTTP(answer, r.WithContext(consistency.NewContext(r.Context(), request)))
			if answer.status == 0 {
				answer.WriteHeader(http.StatusOK) // a handler that wrote nothing
			}
		})
	}
}
