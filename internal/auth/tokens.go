package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const issuer = "rideshare"

// TokenLifetime is how long the token of a user is good.
const TokenLifetime = time.Hour

// ErrBadToken: a token is malformed, not ours or expired.
var ErrBadToken = errors.New("auth: bad token")

// Tokens issues and verifies the tokens of users: JWTs signed with HMAC-SHA256. All functions have
// to have the same secret.
type Tokens struct {
	key    []byte
	now    func() time.Time
	parser *jwt.Parser
}

// NewTokens returns a Tokens. The secret may also be one that serves another purpose: the key is
// derived from it.
func NewTokens(secret string, now func() time.Time) *Tokens {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("rideshare user tokens"))
	return &Tokens{
		key: mac.Sum(nil),
		now: now,
		parser: jwt.NewParser(
			// Only the one algorithm: a token must not choose how it is verified.
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithIssuer(issuer),
			jwt.WithExpirationRequired(),
			jwt.WithTimeFunc(now),
		),
	}
}

// Issue returns a token for the user and when it expires.
func (t *Tokens) Issue(username string) (token string, expires time.Time, err error) {
	now := t.now().UTC().Truncate(time.Second)
	expires = now.Add(TokenLifetime)
	claims := jwt.RegisteredClaims{
		Issuer:    issuer,
		Subject:   username,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(expires),
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("auth: signing a token: %w", err)
	}
	return token, expires, nil
}

// Verify returns the user whose token it is. ErrBadToken.
func (t *Tokens) Verify(token string) (username string, err error) {
	var claims jwt.RegisteredClaims
	_, err = t.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return t.key, nil })
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	if claims.Subject == "" {
		return "", fmt.Errorf("%w: it has no subject", ErrBadToken)
	}
	return claims.Subject, nil
}
