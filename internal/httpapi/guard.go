package httpapi

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// The security schemes: whose token an operation wants.
const (
	Service  = "service"  // the service token, which operators have
	Database = "database" // the token of the functions users and rides
	User     = "user"     // the token of a signed-in user
)

// Require returns the Security requirement of an operation that a token of any of the schemes opens.
func Require(schemes ...string) []map[string][]string {
	var alternatives []map[string][]string
	for _, scheme := range schemes {
		alternatives = append(alternatives, map[string][]string{scheme: {}})
	}
	return alternatives
}

// wants reports whether an operation wants a token of that scheme.
func wants(op huma.Operation, scheme string) bool {
	return slices.ContainsFunc(op.Security, func(alternative map[string][]string) bool {
		_, ok := alternative[scheme]
		return ok
	})
}

// Guard decides whether the sender of the Authorization header may use an operation with this
// Security requirement. It returns the context for the operation, which carries the subject where
// the requirement is User; else an error for FromError.
type Guard func(ctx context.Context, security []map[string][]string, authorization string) (context.Context, error)

// Account is a user as a token names them. A name may belong to one account after another, and an
// account ends all its tokens when it changes its generation.
type Account struct {
	Username   string
	ID         string // empty for an account from before accounts had one
	Generation string // likewise
}

type subjectKey struct{}

// Caller is a part of the system, or an operator, as the token names it. The zero Caller is that of a request with
// a user's token, or where nobody was asked for one.
type Caller struct {
	Scope string // Service or Database
	Token string // the fingerprint of the token (secret.Fingerprint)
	// Shared says that functions and operators have the same token, so that nobody can tell them apart.
	Shared bool
}

type callerKey struct{}

// WithCaller returns a context that says who has sent the request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns who has sent the request.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// WithSubject returns a context that says as which account the request was authenticated.
func WithSubject(ctx context.Context, a Account) context.Context {
	return context.WithValue(ctx, subjectKey{}, a)
}

// Subject returns the account that the request was authenticated as; false where nobody was asked.
// The token was good when it was issued. Only the database knows whether the account still exists.
func Subject(ctx context.Context) (Account, bool) {
	a, ok := ctx.Value(subjectKey{}).(Account)
	return a, ok
}

// RequireSubject returns a 403 when the request was authenticated as somebody else than username.
func RequireSubject(ctx context.Context, username string) error {
	if a, ok := Subject(ctx); ok && a.Username != username {
		return Forbidden("the token is another user's")
	}
	return nil
}

// authorize is huma middleware that enforces the Security requirement of operations.
func (a *API) authorize(hc huma.Context, next func(huma.Context)) {
	hc = withClient(hc)
	need := hc.Operation().Security
	if len(need) == 0 {
		next(hc)
		return
	}
	if a.options.Guard == nil {
		a.refuse(hc, Forbidden("no policy is configured"))
		return
	}
	ctx, err := a.options.Guard(hc.Context(), need, hc.Header("Authorization"))
	if err != nil {
		a.refuse(hc, err)
		return
	}
	next(huma.WithContext(hc, ctx))
}

func (a *API) refuse(hc huma.Context, err error) {
	p := FromError(err)
	for name, values := range p.header {
		hc.SetHeader(name, values[0])
	}
	hc.SetHeader("Content-Type", ProblemType)
	hc.SetStatus(p.Status)
	_ = a.Marshal(hc.BodyWriter(), ProblemType, p)
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		Service: {Type: "http", Scheme: "bearer",
			Description: "The token of operators. Not asked for with RIDESHARE_AUTH=off"},
		Database: {Type: "http", Scheme: "bearer",
			Description: "The token with which the functions users and rides read and write the database. Not asked for with RIDESHARE_AUTH=off"},
		User: {Type: "http", Scheme: "bearer", BearerFormat: "JWT",
			Description: "The token that POST /api/v1/sessions answers with. It ends after an hour, and with its account. Not asked for with RIDESHARE_AUTH=off"},
	}
}
