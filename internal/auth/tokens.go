package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

const issuer = "rideshare"

// TokenLifetime is how long the token of a user is good.
const TokenLifetime = time.Hour

// ErrBadToken: a token is malformed, not ours or expired.
var ErrBadToken = errors.New("auth: bad token")

// Tokens issues and verifies the tokens of users: JWTs signed with HMAC-SHA256. All functions must have the same
// keys.
type Tokens struct {
	keys   *secret.Secret
	now    func() time.Time
	parser *jwt.Parser
}

// NewTokens returns a Tokens. It signs with the current one of the keys, and accepts what any of them has signed.
func NewTokens(keys *secret.Secret, now func() time.Time) *Tokens {
	return &Tokens{
		keys: keys,
		now:  now,
		parser: jwt.NewParser(
			// Only the one algorithm: a token must not choose how it is verified.
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithIssuer(issuer),
			jwt.WithExpirationRequired(),
			jwt.WithTimeFunc(now),
		),
	}
}

// derive returns the key that a secret stands for. The secret may serve another purpose, too.
func derive(secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("rideshare user tokens"))
	return mac.Sum(nil)
}

// claims are what a token says. The account and the generation may be empty, but not missing: a token
// without them would be good for every later account of that name.
type claims struct {
	jwt.RegisteredClaims
	Account    *string `json:"account"`
	Generation *string `json:"generation"`
}

// Issue returns a token for the account and when it expires.
func (t *Tokens) Issue(a httpapi.Account) (token string, expires time.Time, err error) {
	now := t.now().UTC().Truncate(time.Second)
	expires = now.Add(TokenLifetime)
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   a.Username,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(expires),
		},
		Account:    &a.ID,
		Generation: &a.Generation,
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(derive(t.keys.Current()))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("auth: signing a token: %w", err)
	}
	return token, expires, nil
}

// strict refuses what the library lets pass: members of the header that are not ours, as "crit", which names
// what must be understood (RFC 7515, 4.1.11), and times that are not numbers (RFC 7519, 2).
func strict(token *jwt.Token) error {
	for name := range token.Header {
		if name != "alg" && name != "typ" {
			return fmt.Errorf("the header has a member %q", name)
		}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token.Raw, ".")[1])
	if err != nil {
		return err
	}
	var times struct {
		Expires json.RawMessage `json:"exp"`
		Issued  json.RawMessage `json:"iat"`
		Begins  json.RawMessage `json:"nbf"`
	}
	if err := json.Unmarshal(payload, &times); err != nil {
		return err
	}
	for _, value := range []json.RawMessage{times.Expires, times.Issued, times.Begins} {
		if bytes.HasPrefix(value, []byte(`"`)) {
			return errors.New("a time is not a number")
		}
	}
	return nil
}

// Verify returns the account that the token was issued for. It may have ended since. ErrBadToken.
func (t *Tokens) Verify(token string) (httpapi.Account, error) {
	var c claims
	err := errors.New("there is no key")
	t.keys.Verify(func(key string) bool {
		c = claims{}
		var parsed *jwt.Token
		parsed, err = t.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return derive(key), nil })
		if err == nil {
			err = strict(parsed)
		}
		return err == nil
	})
	if err != nil {
		return httpapi.Account{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	if c.Subject == "" || c.Account == nil || c.Generation == nil {
		return httpapi.Account{}, fmt.Errorf("%w: it names no account", ErrBadToken)
	}
	return httpapi.Account{Username: c.Subject, ID: *c.Account, Generation: *c.Generation}, nil
}
