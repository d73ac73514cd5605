package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

func TestGuard(t *testing.T) {
	tokens := NewTokens(secret.New("secret"), time.Now)
	alice, _, err := tokens.Issue(httpapi.Account{Username: "alice", ID: "a1", Generation: "g1"})
	if err != nil {
		t.Fatal(err)
	}
	on := &Policy{On: true, Service: secret.New("s3rvice"), Database: secret.New("d4tabase"), Metrics: secret.New("m3trics"), Tokens: tokens}
	for name, c := range map[string]struct {
		policy        *Policy
		scheme        string
		authorization string
		ok            bool
		subject       string
	}{
		"off":                   {&Policy{}, httpapi.Service, "", true, ""},
		"off, with a bad token": {&Policy{}, httpapi.User, "Bearer x", true, ""},
		"database":              {on, httpapi.Database, "Bearer d4tabase", true, ""},
		"database, service's":   {on, httpapi.Database, "Bearer s3rvice", false, ""},
		"service, database's":   {on, httpapi.Service, "Bearer d4tabase", false, ""},
		"service, metrics'":     {on, httpapi.Service, "Bearer m3trics", false, ""},
		"service":               {on, httpapi.Service, "Bearer s3rvice", true, ""},
		"lower case scheme":     {on, httpapi.Service, "bearer s3rvice", true, ""},
		"service, none":         {on, httpapi.Service, "", false, ""},
		"service, empty":        {on, httpapi.Service, "Bearer ", false, ""},
		"service, wrong":        {on, httpapi.Service, "Bearer s3rvic", false, ""},
		"service, basic":        {on, httpapi.Service, "Basic s3rvice", false, ""},
		"service, a user's":     {on, httpapi.Service, "Bearer " + alice, false, ""},
		"no service token set":  {&Policy{On: true, Tokens: tokens}, httpapi.Service, "Bearer ", false, ""},
		"user":                  {on, httpapi.User, "Bearer " + alice, true, "alice"},
		"user, none":            {on, httpapi.User, "", false, ""},
		"user, garbage":         {on, httpapi.User, "Bearer garbage", false, ""},
		"user, the service's":   {on, httpapi.User, "Bearer s3rvice", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, err := c.policy.Guard(t.Context(), httpapi.Require(c.scheme), c.authorization)
			if !c.ok {
				var p *httpapi.Problem
				if !errors.As(err, &p) || p.Status != http.StatusUnauthorized || p.GetHeaders().Get("WWW-Authenticate") == "" {
					t.Fatalf("err = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := httpapi.Account{}
			if c.subject != "" {
				want = httpapi.Account{Username: c.subject, ID: "a1", Generation: "g1"}
			}
			if subject, _ := httpapi.Subject(ctx); subject != want {
				t.Errorf("subject = %+v", subject)
			}
		})
	}
}

func TestServiceHandler(t *testing.T) {
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for name, test := range map[string]struct {
		on            bool
		authorization string
		status        int
	}{
		"metrics": {true, "Bearer m3trics", http.StatusTeapot},
		"service": {true, "Bearer right", http.StatusTeapot},
		"another": {true, "Bearer d4tabase", http.StatusUnauthorized},
		"wrong":   {true, "Bearer wrong", http.StatusUnauthorized},
		"none":    {true, "", http.StatusUnauthorized},
		"nothing": {true, "Bearer ", http.StatusUnauthorized},
		"off":     {false, "", http.StatusTeapot},
	} {
		policy := &Policy{On: test.on, Service: secret.New("right"), Database: secret.New("d4tabase"), Metrics: secret.New("m3trics"), Tokens: NewTokens(secret.New("k"), time.Now)}
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", test.authorization)
		w := httptest.NewRecorder()
		policy.GuardMetrics(reached).ServeHTTP(w, r)
		if w.Code != test.status || test.status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}

// An operation may be open to more than one scope, and knows which one has called it.
func TestGuardNamesTheCaller(t *testing.T) {
	policy := &Policy{On: true, Service: secret.New("s3rvice"), Database: secret.New(secret.Hash("d4tabase"))}
	for token, scope := range map[string]string{"s3rvice": httpapi.Service, "d4tabase": httpapi.Database} {
		ctx, err := policy.Guard(t.Context(), httpapi.Require(httpapi.Service, httpapi.Database), "Bearer "+token)
		if err != nil {
			t.Fatal(err)
		}
		want := httpapi.Caller{Scope: scope, Token: secret.Fingerprint(token)}
		if got := httpapi.CallerOf(ctx); got != want {
			t.Errorf("the caller is %+v, want %+v", got, want)
		}
	}
}
