package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"rideshare/internal/httpapi"
)

const (
	challenge        = `Bearer realm="rideshare"`
	challengeInvalid = challenge + `, error="invalid_token"`
)

// Policy is who is asked for a token.
type Policy struct {
	// On is whether anybody is asked at all.
	On bool
	// ServiceToken is the token of operators and services. While it is empty, nobody has it.
	ServiceToken string
	// Tokens verifies the tokens of users.
	Tokens *Tokens
}

// Guard is a httpapi.Guard: one of the alternatives of the requirement has to be met.
func (p *Policy) Guard(ctx context.Context, security []map[string][]string, authorization string) (context.Context, error) {
	if !p.On {
		return ctx, nil
	}
	token, ok := bearer(authorization)
	if !ok {
		return nil, httpapi.Unauthorized(challenge, "a bearer token is required")
	}
	for _, alternative := range security {
		if _, ok := alternative[httpapi.Service]; ok && p.isServiceToken(token) {
			return ctx, nil
		}
		if _, ok := alternative[httpapi.User]; ok {
			if account, err := p.Tokens.Verify(token); err == nil {
				return httpapi.WithSubject(ctx, account), nil
			}
		}
	}
	return nil, Refused()
}

// Service returns a handler that serves those who have the service token, where anybody is asked for one.
func (p *Policy) Service(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wants := []map[string][]string{{httpapi.Service: nil}}
		if _, err := p.Guard(r.Context(), wants, r.Header.Get("Authorization")); err != nil {
			httpapi.FromError(err).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Refused returns the 401 for a token that is wrong or expired, or whose account has ended: which of
// them it is, the answer does not tell.
func Refused() *httpapi.Problem {
	return httpapi.Unauthorized(challengeInvalid, "the token is wrong or expired, or its account has ended it")
}

// isServiceToken compares hashes: so the time tells neither where the tokens differ nor how long
// the right one is.
func (p *Policy) isServiceToken(token string) bool {
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(p.ServiceToken))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && p.ServiceToken != ""
}

func bearer(authorization string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}
