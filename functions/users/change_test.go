package users

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/serve/servetest"
)

const (
	sha2    = "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4" // another password's
	wrong   = "0000000000000000000000000000000000000000"
	ofAlice = "/api/v1/users/alice/password"
)

func change(current, password string) string {
	data, _ := json.Marshal(map[string]string{"current": current, "password": password}) // of strings it cannot fail
	return string(data)
}

func TestChangePassword(t *testing.T) { servetest.Each(t, testChangePassword) }

func testChangePassword(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, true)
	signUp(t, h, "alice")
	signUp(t, h, "bob")
	as := func(token string, more ...string) []string {
		return append([]string{"Authorization", "Bearer " + token}, more...)
	}
	alice, other, bob := signIn(t, h, "alice"), signIn(t, h, "alice"), signIn(t, h, "bob")

	want(t, do(h, http.MethodPut, ofAlice, change(sha1, sha2)), 401, "")
	want(t, do(h, http.MethodPut, ofAlice, change(sha1, sha2), as(bob)...), 403, "")
	want(t, do(h, http.MethodPut, ofAlice, change(wrong, sha2), as(alice)...), 403, "")
	for _, b := range []string{
		``, `{}`, `{"password":"` + sha2 + `"}`, `{"current":"` + sha1 + `"}`, change("secret", sha2), change(sha1, "secret"),
		change(sha1, digestOfNothing), change(sha1, strings.ToUpper(digestOfNothing)),
	} {
		want(t, do(h, http.MethodPut, ofAlice, b, as(alice)...), 400, "")
	}
	want(t, do(h, http.MethodPost, sessions, body("alice", sha2)), 401, "")

	keyed := as(alice, "Idempotency-Key", "k")
	want(t, do(h, http.MethodPut, ofAlice, change(strings.ToUpper(sha1), sha2), keyed...), 200, "{}")
	want(t, do(h, http.MethodPut, ofAlice, change(strings.ToUpper(sha1), sha2), keyed...), 200, "{}") // a retry, with a token that has ended
	want(t, do(h, http.MethodPut, ofAlice, change(sha1, sha2), as(alice)...), 401, "")
	want(t, do(h, http.MethodPut, ofAlice, change(sha1, sha2), as(alice, "Idempotency-Key", "other")...), 401, "")
	for _, token := range []string{alice, other} {
		want(t, do(h, http.MethodDelete, "/api/v1/users/alice", "", as(token)...), 401, "")
	}
	want(t, do(h, http.MethodPost, sessions, body("alice", sha1)), 401, "")
	if w := do(h, http.MethodPost, sessions, body("alice", sha2)); w.Code != http.StatusOK {
		t.Errorf("a sign-in with the new password: %d %s", w.Code, w.Body)
	}
	want(t, do(h, http.MethodPut, "/api/v1/users/bob/password", change(sha1, sha2), as(bob)...), 200, "{}")
}

// Without tokens, a change still needs the current password.
func TestChangePasswordWithoutTokens(t *testing.T) {
	h, _ := setup(servetest.Direct, &dbtest.DB{}, false)
	signUp(t, h, "alice")
	want(t, do(h, http.MethodPut, ofAlice, change(wrong, sha2)), 403, "")
	for range 2 { // the second is a retry without a key
		want(t, do(h, http.MethodPut, ofAlice, change(sha1, sha2)), 200, "{}")
	}
	want(t, do(h, http.MethodPut, "/api/v1/users/nobody/password", change(sha1, sha2)), 400, "")
}

// Guessing at the current password is limited with guessing at sign-in.
func TestChangePasswordIsLimited(t *testing.T) {
	h, _ := setup(servetest.Direct, &dbtest.DB{}, false)
	signUp(t, h, "alice")
	for i := range 10 {
		want(t, do(h, http.MethodPut, ofAlice, change(fmt.Sprintf("%040d", i), sha2)), 403, "")
	}
	want(t, do(h, http.MethodPut, ofAlice, change(sha1, sha2)), 429, "")
	want(t, do(h, http.MethodPost, sessions, body("alice", sha1)), 429, "")
}

func TestSignOut(t *testing.T) { servetest.Each(t, testSignOut) }

func testSignOut(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, true)
	signUp(t, h, "alice")
	signUp(t, h, "bob")
	first, second, bob := signIn(t, h, "alice"), signIn(t, h, "alice"), signIn(t, h, "bob")
	want(t, do(h, http.MethodDelete, sessions, ""), 401, "")
	key := []string{"Authorization", "Bearer " + first, "Idempotency-Key", "k"}
	for range 2 { // the second is a retry, with a token that has ended
		want(t, do(h, http.MethodDelete, sessions, "", key...), 200, "{}")
	}
	for _, token := range []string{first, second} {
		want(t, do(h, http.MethodDelete, sessions, "", "Authorization", "Bearer "+token), 401, "")
		want(t, do(h, http.MethodDelete, "/api/v1/users/alice", "", "Authorization", "Bearer "+token), 401, "")
	}
	want(t, do(h, http.MethodDelete, "/api/v1/users/bob", "", "Authorization", "Bearer "+bob), 200, "{}")
	signIn(t, h, "alice")
}

func TestSignOutWithoutTokens(t *testing.T) {
	h, _ := setup(servetest.Direct, &dbtest.DB{}, false)
	want(t, do(h, http.MethodDelete, sessions, ""), 400, "")
}
