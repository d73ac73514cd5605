package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

func clockAt(now *time.Time) func() time.Time { return func() time.Time { return *now } }

func TestTokens(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tokens := NewTokens(secret.New("secret"), clockAt(&now))
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
	if _, err := NewTokens(secret.New("other"), clockAt(&now)).Verify(token); !errors.Is(err, ErrBadToken) {
		t.Errorf("with another secret: %v", err)
	}
	now = now.Add(time.Hour + time.Second)
	if _, err := tokens.Verify(token); !errors.Is(err, ErrBadToken) {
		t.Errorf("expired: %v", err)
	}
}

func TestTokensRefuse(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tokens := NewTokens(secret.New("secret"), clockAt(&now))
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
		s, err := token.SignedString(derive(tokens.keys.Current()))
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
	if _, err := tokens.Verify(sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), good)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, token := range map[string]string{
		"empty":         "",
		"garbage":       "a.b.c",
		"alg none":      sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"other HMAC":    sign(jwt.SigningMethodHS512, derive(tokens.keys.Current()), good),
		"no expiry":     sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), without("exp")),
		"no subject":    sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), without("sub")),
		"no account":    sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), without("account")),
		"no generation": sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), without("generation")),
		"no issuer":     sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), without("iss")),
		"exp is text":   sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), with("exp", fmt.Sprint(now.Add(time.Minute).Unix()))),
		"nbf is text":   sign(jwt.SigningMethodHS256, derive(tokens.keys.Current()), with("nbf", "1")),
		"crit":          headed("crit", []string{"exp"}),
		"kid":           headed("kid", "../../key"),
		"the bare text": sign(jwt.SigningMethodHS256, []byte("secret"), good),
	} {
		if _, err := tokens.Verify(token); !errors.Is(err, ErrBadToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// While the key is replaced, tokens of both keys are good; new ones are signed with the current key.
func TestTokensOfTwoKeys(t *testing.T) {
	account := httpapi.Account{Username: "alice", ID: "a1", Generation: "g1"}
	former, _, err := NewTokens(secret.New("former"), time.Now).Issue(account)
	if err != nil {
		t.Fatal(err)
	}
	both := NewTokens(secret.New("next", "former"), time.Now)
	current, _, err := both.Issue(account)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"former": former, "current": current} {
		if got, err := both.Verify(token); err != nil || got != account {
			t.Errorf("the token of the %s key: %+v, %v", name, got, err)
		}
	}
	next := NewTokens(secret.New("next"), time.Now)
	if _, err := next.Verify(current); err != nil {
		t.Errorf("not signed with the current key: %v", err)
	}
	if _, err := next.Verify(former); !errors.Is(err, ErrBadToken) {
		t.Errorf("the former key is good for ever: %v", err)
	}
	if _, err := NewTokens(nil, time.Now).Verify(current); !errors.Is(err, ErrBadToken) {
		t.Errorf("without a key: %v", err)
	}
}
