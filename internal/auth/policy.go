package auth

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

const (
	challenge        = `Bearer realm="rideshare"`
	challengeInvalid = challenge + `, error="invalid_token"`
)

// Policy decides which token opens which operation.
type Policy struct {
	// On is whether anybody is asked for a token at all.
	On bool
	// Service is the token of operators. It opens everything that a user's token does not open.
	Service *secret.Secret
	// Database is the token of the functions before the database. It opens what wants httpapi.Database.
	Database *secret.Secret
	// Metrics is the token of whoever collects metrics. It opens those alone.
	Metrics *secret.Secret
	// Tokens verifies the tokens of users.
	Tokens *Tokens
}

// Guard is a httpapi.Guard. The token must meet one of the alternatives of the requirement.
func (p *Policy) Guard(ctx context.Context, security []map[string][]string, authorization string) (context.Context, error) {
	if !p.On {
		return ctx, nil
	}
	token, ok := bearer(authorization)
	if !ok {
		return nil, httpapi.Unauthorized(challenge, "a bearer token is required")
	}
	wants := func(scheme string) bool {
		return slices.ContainsFunc(security, func(alternative map[string][]string) bool { _, ok := alternative[scheme]; return ok })
	}
	// First the values that are known: only a token that is none of them is a reason to read the files again.
	for _, has := range []func(*secret.Secret, string) bool{(*secret.Secret).Knows, (*secret.Secret).Accepts} {
		caller := httpapi.Caller{Token: secret.Fingerprint(token)}
		switch {
		case wants(httpapi.Service) && has(p.Service, token):
			caller.Scope, caller.Shared = httpapi.Service, has(p.Database, token)
			return httpapi.WithCaller(ctx, caller), nil
		case wants(httpapi.Database) && has(p.Database, token):
			caller.Scope = httpapi.Database
			return httpapi.WithCaller(ctx, caller), nil
		}
	}
	if wants(httpapi.User) {
		if account, err := p.Tokens.Verify(token); err == nil {
			return httpapi.WithSubject(ctx, account), nil
		}
	}
	return nil, Refused()
}

// GuardMetrics returns a handler that serves callers that have the token of metrics or of operators. It serves
// everybody if p.On is false.
func (p *Policy) GuardMetrics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := bearer(r.Header.Get("Authorization"))
		switch {
		case !p.On, ok && (p.Metrics.Accepts(token) || p.Service.Accepts(token)):
			next.ServeHTTP(w, r)
		case !ok:
			httpapi.Unauthorized(challenge, "a bearer token is required").Write(w)
		default:
			Refused().Write(w)
		}
	})
}

// Refused returns the 401 for a token that is wrong or expired, or whose account has ended: which of
// them it is, the answer does not tell.
func Refused() *httpapi.Problem {
	return httpapi.Unauthorized(challengeInvalid, "the token is wrong or expired, or its account has ended it")
}

func bearer(authorization string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}
