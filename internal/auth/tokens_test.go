package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"rideshare/internal/httpapi"
)

func clockAt(now *time.Time) func() time.Time { return func() time.Time { return *now } }

func TestTokens(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tokens := NewTokens("secret", clockAt(&now))
	account := httpapi.Account{Username: "alice \"ü\"", ID: "a1", Generation: "g1"}
	token, expires, err := tokens.Issue(account)
	if err != nil {
		t.Fatal(err)
	}
	if want := now.Add(time.Hour); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	if got, err := tokens.Verify(token); got != account || err != nil {
		t.Errorf("Verify = %+v, %v", got, err)
	}
	// An account from before accounts had ids has empty ones, which is not the same as none.
	old := httpapi.Account{Username: "bob"}
	olds, _, err := tokens.Issue(old)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tokens.Verify(olds); got != old || err != nil {
		t.Errorf("Verify = %+v, %v", got, err)
	}
	if _, err := NewTokens("other", clockAt(&now)).Verify(token); !errors.Is(err, ErrBadToken) {
		t.Errorf("with another secret: %v", err)
	}
	now = now.Add(time.Hour + time.Second)
	if _, err := tokens.Verify(token); !errors.Is(err, ErrBadToken) {
		t.Errorf("expired: %v", err)
	}
}

func TestTokensRefuse(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tokens := NewTokens("secret", clockAt(&now))
	good := jwt.MapClaims{"iss": issuer, "sub": "alice", "account": "a1", "generation": "g1", "exp": now.Add(time.Minute).Unix()}
	without := func(claim string) jwt.MapClaims {
		c := jwt.MapClaims{}
		for k, v := range good {
			if k != claim {
				c[k] = v
			}
		}
		return c
	}
	with := func(claim string, value any) jwt.MapClaims {
		c := without(claim)
		c[claim] = value
		return c
	}
	headed := func(name string, value any) string {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, good)
		token.Header[name] = value
		s, err := token.SignedString(tokens.key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sign := func(m jwt.SigningMethod, key any, c jwt.MapClaims) string {
		s, err := jwt.NewWithClaims(m, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, err := tokens.Verify(sign(jwt.SigningMethodHS256, tokens.key, good)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, token := range map[string]string{
		"empty":         "",
		"garbage":       "a.b.c",
		"alg none":      sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"other HMAC":    sign(jwt.SigningMethodHS512, tokens.key, good),
		"no expiry":     sign(jwt.SigningMethodHS256, tokens.key, without("exp")),
		"no subject":    sign(jwt.SigningMethodHS256, tokens.key, without("sub")),
		"no account":    sign(jwt.SigningMethodHS256, tokens.key, without("account")),
		"no generation": sign(jwt.SigningMethodHS256, tokens.key, without("generation")),
		"no issuer":     sign(jwt.SigningMethodHS256, tokens.key, without("iss")),
		"exp is text":   sign(jwt.SigningMethodHS256, tokens.key, with("exp", fmt.Sprint(now.Add(time.Minute).Unix()))),
		"nbf is text":   sign(jwt.SigningMethodHS256, tokens.key, with("nbf", "1")),
		"crit":          headed("crit", []string{"exp"}),
		"kid":           headed("kid", "../../key"),
		"the bare text": sign(jwt.SigningMethodHS256, []byte("secret"), good),
	} {
		if _, err := tokens.Verify(token); !errors.Is(err, ErrBadToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
