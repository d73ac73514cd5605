package apitest

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// forgery is a token that nobody was given.
type forgery struct{ name, token string }

var base64url = base64.RawURLEncoding

// forgeries returns what may be made of a JSON Web Token: other algorithms, other keys, other
// claims under the old signature. Where the token is of another kind, there is less.
func forgeries(token, secret string) []forgery {
	out := []forgery{
		{"first half", token[:len(token)/2]}, {"a character less", token[:len(token)-2]}, {"a character more", token + "A"},
		{"twice", token + token}, {"another case", strings.ToUpper(token)},
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return out
	}
	claims := object{}
	if data, err := base64url.DecodeString(parts[1]); err == nil {
		_ = json.Unmarshal(data, &claims) // else there are none
	}
	now := time.Now().Unix()
	changed := func(claim string, value any) object {
		c := maps.Clone(claims)
		c[claim] = value
		return c
	}
	part := func(v any) string {
		data, _ := json.Marshal(v) // of strings and numbers: it cannot fail
		return base64url.EncodeToString(data)
	}
	header := func(alg string) string { return part(object{"alg": alg, "typ": "JWT"}) }
	signed := func(claims object, key string) string {
		unsigned := header("HS256") + "." + part(claims)
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(unsigned))
		return unsigned + "." + base64url.EncodeToString(mac.Sum(nil))
	}
	for _, alg := range []string{"none", "None", "NONE", ""} {
		out = append(out, forgery{fmt.Sprintf("algorithm %q", alg), header(alg) + "." + parts[1] + "."},
			forgery{fmt.Sprintf("algorithm %q, old signature", alg), header(alg) + "." + parts[1] + "." + parts[2]})
	}
	for name, key := range map[string]string{"empty key": "", "guessed key": "secret", "the service token as key": secret, "alice as key": "alice"} {
		out = append(out, forgery{name, signed(claims, key)})
	}
	return append(out,
		forgery{"no signature", parts[0] + "." + parts[1] + "."},
		forgery{"two parts", parts[0] + "." + parts[1]},
		forgery{"expired", signed(changed("exp", now-3600), "secret")},
		forgery{"other expiry, old signature", parts[0] + "." + part(changed("exp", now+1e9)) + "." + parts[2]},
		forgery{"other algorithm, old signature", header("HS512") + "." + parts[1] + "." + parts[2]},
		forgery{"public key algorithm", header("RS256") + "." + parts[1] + "." + parts[2]},
		forgery{"claims are null", parts[0] + "." + part(nil) + "." + parts[2]},
		forgery{"issued by nobody", signed(object{"sub": "alice", "exp": now + 3600, "iat": now}, strconv.Itoa(0))},
	)
}

// testForgedTokens: a token of one user does not become one of another.
func testForgedTokens(s *suite) {
	if !s.target.Auth {
		return
	}
	s.clear("alice", "bob")
	parts := strings.Split(s.signIn("bob"), ".")
	theirs := strings.Split(s.signIn("alice"), ".")
	if len(parts) != 3 || len(theirs) != 3 {
		return // no JSON Web Tokens: there is nothing to exchange
	}
	for name, token := range map[string]string{
		"claims of another":    parts[0] + "." + theirs[1] + "." + parts[2],
		"signature of another": theirs[0] + "." + theirs[1] + "." + parts[2],
	} {
		s.cases(testCase{name: name, status: 401, request: postRide(newRide("alice")).with("Authorization", "Bearer "+token)})
	}
	s.cases(
		testCase{name: "the real one, scheme in lower case", status: 201,
			request: postRide(newRide("alice")).with("Authorization", "bearer "+s.signIn("alice"))},
	)
}

// testEndedTokens: a token belongs to an account, and not to the name that another may have after it.
func testEndedTokens(s *suite) {
	if !s.target.Auth {
		return
	}
	s.clear("alice", "bob")
	ride, other := s.addRide("alice"), s.addRide("bob")
	s.want(join(other, "alice"), 200)
	token := s.signIn("alice")
	mine := request{method: "GET", path: "/api/v1/riders/alice/rides"}
	leave := request{method: "DELETE", path: fmt.Sprintf("/api/v1/riders/alice/rides/%d", other)}
	requests := []request{
		postRide(newRide("alice")), join(other, "alice"), leave, mine, deleteRide(ride, "alice"), deleteUser("alice"),
	}
	refused := func(when string) {
		s.run(when, func(s *suite) {
			for _, r := range requests {
				s.want(r.by(nobody).with("Authorization", "Bearer "+token), 401)
			}
		})
	}
	key := rand.Text()
	first := s.must(postRide(newRide("alice")).with(idempotencyKey, key), 201)
	s.must(deleteUser("alice").with(idempotencyKey, key), 200)
	s.want(deleteUser("alice").with(idempotencyKey, key), 200) // the same answer for a retry
	refused("nobody has the name")
	s.session.forget()
	s.must(putUser("alice"), 201)
	refused("another has the name")
	second := s.must(postRide(newRide("alice")).with(idempotencyKey, key), 201)
	if bytes.Equal(first.body, second.body) {
		s.t.Errorf("%v; the key of an earlier alice got her ride", second)
	}
	s.want(join(other, "alice"), 200)
	refused("another has the name, and rides of her own")
	s.cases(
		testCase{name: "nothing was done: rides", request: get("/api/v1/rides/count"), status: 200, body: `[2]`},
		testCase{name: "nothing was done: riders", request: getRide(other), status: 200, body: details(other, "bob", "alice")},
		testCase{name: "nothing was done: users", request: get("/api/v1/users"), status: 200, body: `["alice","bob"]`},
	)
	token = s.signIn("alice")
	s.clear("alice", "bob")
	s.addRide("alice")
	s.addRide("bob")
	refused("the database was cleared, and another has the name")

	s.clear("alice", "bob")
	s.addRide("bob")
	token = s.signIn("alice")
	s.want(request{method: "DELETE", path: sessions, as: "alice"}, 200)
	refused("she has signed out")
	// Of one who has not signed in as often yet: that is limited.
	const name = "changing"
	s.must(putUser(name), 201)
	token = s.signIn(name)
	s.want(changePassword(name, strings.Repeat("0", len(digest)), other40), 403)
	s.want(changePassword("bob", digest, other40).by(name), 403)
	s.want(changePassword(name, digest, other40), 200)
	s.want(deleteUser(name).by(nobody).with("Authorization", "Bearer "+token), 401)
	s.want(signIn(name, digest), 401)
	s.want(signIn(name, other40), 200)
}

// other40 is the SHA-1 of another password.
const other40 = "3d725109c7e7c0bfb9d709836735b56d943d263f"

func changePassword(username, current, password string) request {
	return request{
		method: "PUT", path: "/api/v1/users/" + escape(username) + "/password", as: caller(username),
		body: object{"current": current, "password": password},
	}
}

// testSignInLimit: who tries many passwords has to wait.
func testSignInLimit(s *suite) {
	if !s.target.Auth {
		return
	}
	s.clear("alice")
	const most = 300
	for i := range most {
		a := s.once(signIn("alice", fmt.Sprintf("%040x", i)))
		if a.status == 401 {
			continue
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if a.status != 429 || err != nil || seconds < 1 {
			s.t.Errorf("%v, Retry-After %q; want 401, and in the end 429 with Retry-After in seconds", a, a.header.Get("Retry-After"))
		}
		return
	}
	s.t.Errorf("%d wrong passwords of one user were tried, and the sign-in was never refused with 429", most)
}
