package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rideshare/internal/httpapi"
)

func TestGuard(t *testing.T) {
	tokens := NewTokens("secret", time.Now)
	alice, _, err := tokens.Issue(httpapi.Account{Username: "alice", ID: "a1", Generation: "g1"})
	if err != nil {
		t.Fatal(err)
	}
	on := &Policy{On: true, ServiceToken: "s3rvice", Tokens: tokens}
	for name, c := range map[string]struct {
		policy        *Policy
		scheme        string
		authorization string
		ok            bool
		subject       string
	}{
		"off":                   {&Policy{}, httpapi.Service, "", true, ""},
		"off, with a bad token": {&Policy{}, httpapi.User, "Bearer x", true, ""},
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
		"right":   {true, "Bearer right", http.StatusTeapot},
		"wrong":   {true, "Bearer wrong", http.StatusUnauthorized},
		"none":    {true, "", http.StatusUnauthorized},
		"nothing": {true, "Bearer ", http.StatusUnauthorized},
		"off":     {false, "", http.StatusTeapot},
	} {
		policy := &Policy{On: test.on, ServiceToken: "right", Tokens: NewTokens("k", time.Now)}
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", test.authorization)
		w := httptest.NewRecorder()
		policy.Service(reached).ServeHTTP(w, r)
		if w.Code != test.status || test.status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}
