package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rideshare/internal/auth"
	"rideshare/internal/db"
	"rideshare/internal/dbclient"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
	"rideshare/internal/serve/servetest"
)

const sha1 = "3d725109c7e7c0bfb9d709836735b56d943d263f"

// setup returns the function over database, with passwords that cost little.
func setup(via servetest.Driver, database dbclient.DB, on bool) (http.Handler, *auth.Tokens) {
	tokens := auth.NewTokens(secret.New("secret"), time.Now)
	policy := &auth.Policy{On: on, Tokens: tokens}
	return via(New(httpapi.Options{Guard: policy.Guard}, Config{
		DB: database, Tokens: tokens, Passwords: NewPasswords(auth.Params{Memory: 8, Time: 1, Threads: 1}),
	})), tokens
}

func do(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// want checks the status, the body where it is a success, and that it is a problem where not.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %.300s", w.Code, status, w.Body)
	}
	if status >= 400 {
		var p httpapi.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != status || p.Detail == "" {
			t.Errorf("no problem document: %.300s", w.Body)
		}
		return
	}
	if got := strings.TrimSuffix(w.Body.String(), "\n"); got != body {
		t.Errorf("body %s, want %s", got, body)
	}
}

func body(username, password string) string {
	data, _ := json.Marshal(map[string]string{"username": username, "password": password})
	return string(data)
}

func signUp(t *testing.T, h http.Handler, name string) {
	t.Helper()
	want(t, do(h, http.MethodPut, "/api/v1/users", body(name, sha1)), 201, "{}")
}

func signIn(t *testing.T, h http.Handler, name string) (token string) {
	t.Helper()
	w := do(h, http.MethodPost, sessions, body(name, sha1))
	var got struct{ Token string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	return got.Token
}

func TestSignUp(t *testing.T) { servetest.Each(t, testSignUp) }

func testSignUp(t *testing.T, via servetest.Driver) {
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"good":                    {body("bob", sha1), 201},
		"upper case digits":       {body("bob", strings.ToUpper(sha1)), 201},
		"quotes":                  {body(`'; DROP TABLE users; --"`, sha1), 201},
		"128 characters":          {body(strings.Repeat("ü", 128), sha1), 201},
		"case counts":             {body("ALICE", sha1), 201},
		"exists":                  {body("alice", sha1), 400},
		"no body":                 {``, 400},
		"no password":             {`{"username":"bob"}`, 400},
		"no username":             {`{"password":"` + sha1 + `"}`, 400},
		"unknown field":           {`{"username":"bob","password":"` + sha1 + `","admin":true}`, 400},
		"empty username":          {body("", sha1), 400},
		"129 characters":          {body(strings.Repeat("ü", 129), sha1), 400},
		"a slash":                 {body("a/b", sha1), 400},
		"a dot":                   {body(".", sha1), 400},
		"two dots":                {body("..", sha1), 400},
		"NUL":                     {body("a\x00b", sha1), 400},
		"a control character":     {body("a\u0085b", sha1), 400},
		"a number for a name":     {`{"username":1,"password":"` + sha1 + `"}`, 400},
		"invalid UTF-8":           {"{\"username\":\"\xff\",\"password\":\"" + sha1 + "\"}", 400},
		"a space at the end":      {body("bob ", sha1), 400},
		"a zero-width space":      {body("b\u200bob", sha1), 400},
		"decomposed":              {body("e\u0301", sha1), 400},
		"the digest of nothing":   {body("bob", digestOfNothing), 400},
		"the same in upper case":  {body("bob", strings.ToUpper(digestOfNothing)), 400},
		"half of a pair":          {`{"username":"\ud800","password":"` + sha1 + `"}`, 400},
		"a name twice":            {`{"username":"bob","username":"eve","password":"` + sha1 + `"}`, 400},
		"39 digits":               {body("bob", sha1[1:]), 400},
		"41 digits":               {body("bob", sha1+"0"), 400},
		"0x":                      {body("bob", "0x"+sha1[2:]), 400},
		"an underscore":           {body("bob", "_"+sha1[1:]), 400},
		"a space":                 {body("bob", " "+sha1[1:]), 400},
		"not hex":                 {body("bob", "g"+sha1[1:]), 400},
		"wide digits":             {body("bob", strings.Repeat("１", 40)), 400},
		"40 bytes, 20 characters": {body("bob", strings.Repeat("ü", 20)), 400},
		"10 MB":                   {body("bob", strings.Repeat("a", 10<<20)), 413},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := setup(via, &dbtest.DB{}, false)
			signUp(t, h, "alice")
			want(t, do(h, http.MethodPut, "/api/v1/users", c.body), c.status, "{}")
		})
	}
}

func TestPasswordsAreStoredAsArgon2id(t *testing.T) {
	servetest.Each(t, testPasswordsAreStoredAsArgon2id)
}

func testPasswordsAreStoredAsArgon2id(t *testing.T, via servetest.Driver) {
	var stored string
	h, _ := setup(via, &dbclient.Fake{WriteFunc: func(_ context.Context, _ string, w db.Write) (db.WriteResult, error) {
		stored, _ = w.Ops[0].Values["password_hash"].(string)
		return db.WriteResult{}, nil
	}}, false)
	signUp(t, h, "alice")
	if !strings.HasPrefix(stored, "$argon2id$") || strings.Contains(stored, sha1) {
		t.Errorf("stored %q", stored)
	}
}

func TestList(t *testing.T) { servetest.Each(t, testList) }

func testList(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, false)
	w := do(h, http.MethodGet, "/api/v1/users", "")
	want(t, w, 204, "")
	if w.Header().Get("Content-Type") != "" {
		t.Errorf("no content has a type: %v", w.Header())
	}
	for _, name := range []string{"bob", "alice", "carol", "Zoe"} {
		signUp(t, h, name)
	}
	for query, c := range map[string]struct {
		status int
		body   string
	}{
		"":                            {200, `["Zoe","alice","bob","carol"]`},
		"?limit=2":                    {200, `["Zoe","alice"]`},
		"?limit=2&after=alice":        {200, `["bob","carol"]`},
		"?after=carol":                {204, ""},
		"?debug&limit=1":              {200, `["Zoe"]`},
		"?limit=0":                    {400, ""},
		"?limit=-1":                   {400, ""},
		"?limit=x":                    {400, ""},
		"?limit=1e9":                  {400, ""},
		"?limit=99999999999999999999": {400, ""},
		"?after=%ff":                  {400, ""},
		"?after=%00":                  {400, ""},
	} {
		want(t, do(h, http.MethodGet, "/api/v1/users"+query, ""), c.status, c.body)
	}
}

// A list comes a page at a time, and each page leads to the next one.
func TestPages(t *testing.T) {
	database := &dbtest.DB{}
	var names []string
	for len(names) < largestPage+2 {
		var w db.Write
		for range min(db.MaxOps, largestPage+2-len(names)) {
			name := fmt.Sprintf("user %05d", len(names))
			names = append(names, name)
			w.Ops = append(w.Ops, db.Op{Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": "x"}})
		}
		if _, err := database.Write(t.Context(), "", w); err != nil {
			t.Fatal(err)
		}
	}
	h, _ := setup(servetest.Direct, database, false)
	page := func(target string) (got []string, next string) {
		t.Helper()
		w := do(h, http.MethodGet, target, "")
		if w.Code != http.StatusNoContent {
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
		}
		link, ok := strings.CutSuffix(w.Header().Get("Link"), `>; rel="next"`)
		if next, _ = strings.CutPrefix(link, "<"); ok == (next == "") {
			t.Errorf("%s: Link: %q", target, w.Header().Get("Link"))
		}
		return got, next
	}
	for query, wanted := range map[string]struct {
		names []string
		more  bool
	}{
		"":                                        {names[:1000], true},
		"?after=user+00000":                       {names[1:1001], true},
		"?limit=2000":                             {names[:2000], true},
		"?limit=2001":                             {names[:2001], true},
		"?limit=9223372036854775807":              {names[:10_000], true},
		"?after=user+00001&limit=10000":           {names[2:], false},
		"?after=user+00002&limit=10000":           {names[3:], false},
		"?after=user+10001":                       {nil, false},
		"?after=user+10000":                       {names[10_001:], false},
		"?after=user+01999&limit=2000":            {names[2000:4000], true},
		"?after=" + escape(names[0]) + "&limit=1": {names[1:2], true},
	} {
		if got, next := page("/api/v1/users" + query); !slices.Equal(got, wanted.names) || (next != "") != wanted.more {
			t.Errorf("%s: %d names, and then %q", query, len(got), next)
		}
	}
	var all []string
	for next := "/api/v1/users?limit=3000"; next != ""; {
		var got []string
		got, next = page(next)
		all = append(all, got...)
	}
	if !slices.Equal(all, names) {
		t.Errorf("%d names on all pages, want %d", len(all), len(names))
	}
}

func TestRemove(t *testing.T) { servetest.Each(t, testRemove) }

func testRemove(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, false)
	for _, name := range []string{"alice", "a b", "%2F", "ü", "a?b#c", "count", `a"b'c\`} {
		signUp(t, h, name)
		path := "/api/v1/users/" + escape(name)
		want(t, do(h, http.MethodDelete, path, ""), 200, "{}")
		want(t, do(h, http.MethodDelete, path, ""), 400, "")
	}
	for _, path := range []string{"a%2Fb", "%ff", "%00", "%2e", "%2e%2e", "nobody", strings.Repeat("a", 200)} {
		want(t, do(h, http.MethodDelete, "/api/v1/users/"+path, ""), 400, "")
	}
	w := do(h, http.MethodGet, "/api/v1/users/alice", "")
	want(t, w, 405, "")
	if w.Header().Get("Allow") != "DELETE" {
		t.Errorf("Allow: %q", w.Header().Get("Allow"))
	}
}

// escape encodes every byte, so that nothing in a name can be taken for syntax.
func escape(name string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		b.WriteString("%" + string(hex[name[i]>>4]) + string(hex[name[i]&15]))
	}
	return b.String()
}

func TestRemoveWithAuth(t *testing.T) { servetest.Each(t, testRemoveWithAuth) }

func testRemoveWithAuth(t *testing.T, via servetest.Driver) {
	h, tokens := setup(via, &dbtest.DB{}, true)
	signUp(t, h, "alice")
	signUp(t, h, "bob")
	nameOnly, _, _ := tokens.Issue(httpapi.Account{Username: "alice"})
	alice, bob := signIn(t, h, "alice"), signIn(t, h, "bob")
	const path = "/api/v1/users/alice"
	w := do(h, http.MethodDelete, path, "")
	want(t, w, 401, "")
	if !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("%v", w.Header())
	}
	want(t, do(h, http.MethodDelete, path, "", "Authorization", "Bearer "+alice+"x"), 401, "")
	want(t, do(h, http.MethodDelete, path, "", "Authorization", "Bearer "+bob), 403, "")
	want(t, do(h, http.MethodDelete, path, "", "Authorization", "Bearer "+nameOnly), 401, "")
	want(t, do(h, http.MethodDelete, path, "", "Authorization", "Bearer "+alice), 200, "{}")
	want(t, do(h, http.MethodGet, "/api/v1/users", ""), 200, `["bob"]`)
}

// The token of a deleted user is nobody's: not the next user's of that name, either.
func TestTokensEndWithTheirAccount(t *testing.T) {
	servetest.Each(t, testTokensEndWithTheirAccount)
}

func testTokensEndWithTheirAccount(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, true)
	const path = "/api/v1/users/alice"
	signUp(t, h, "alice")
	first := []string{"Authorization", "Bearer " + signIn(t, h, "alice")}
	keyed := slices.Concat(first, []string{"Idempotency-Key", "k"})
	want(t, do(h, http.MethodDelete, path, "", keyed...), 200, "{}")
	want(t, do(h, http.MethodDelete, path, "", first...), 401, "")
	want(t, do(h, http.MethodDelete, path, "", keyed...), 200, "{}") // the answer to a retry is still its own

	signUp(t, h, "alice")
	w := do(h, http.MethodDelete, path, "", first...)
	want(t, w, 401, "")
	if !strings.Contains(w.Header().Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("%v", w.Header())
	}
	want(t, do(h, http.MethodDelete, path, "", keyed...), 200, "{}") // a stored answer, which does nothing
	want(t, do(h, http.MethodGet, "/api/v1/users", ""), 200, `["alice"]`)

	second := []string{"Authorization", "Bearer " + signIn(t, h, "alice"), "Idempotency-Key", "k"}
	want(t, do(h, http.MethodDelete, path, "", second...), 200, "{}") // not the stored one
	want(t, do(h, http.MethodGet, "/api/v1/users", ""), 204, "")
}

func TestSignUpsAreLimited(t *testing.T) {
	h, _ := setup(servetest.Direct, &dbtest.DB{}, false)
	limited := func(tries int, name func(int) string) bool {
		for i := range tries {
			if do(h, http.MethodPut, "/api/v1/users", body(name(i), sha1)).Code == http.StatusTooManyRequests {
				return true
			}
		}
		return false
	}
	if !limited(200, func(int) string { return "alice" }) {
		t.Error("200 sign-ups under one name were not limited")
	}
	signUp(t, h, "bob")
	signIn(t, h, "alice")
	if !limited(2000, func(i int) string { return fmt.Sprint("u", i) }) {
		t.Error("2,000 sign-ups from one address were not limited")
	}
	signIn(t, h, "alice")
}

func TestIdempotency(t *testing.T) { servetest.Each(t, testIdempotency) }

func testIdempotency(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, false)
	key := []string{"Idempotency-Key", "k1"}
	for range 2 {
		want(t, do(h, http.MethodPut, "/api/v1/users", body("alice", sha1), key...), 201, "{}")
	}
	want(t, do(h, http.MethodPut, "/api/v1/users", body("alice", sha1), "Idempotency-Key", "k2"), 400, "")
	for range 2 {
		want(t, do(h, http.MethodDelete, "/api/v1/users/alice", "", key...), 200, "{}")
	}
	want(t, do(h, http.MethodDelete, "/api/v1/users/bob", "", key...), 400, "")
	want(t, do(h, http.MethodPut, "/api/v1/users", body("bob", sha1), "Idempotency-Key", ""), 400, "")
}

func TestDatabaseFailures(t *testing.T) { servetest.Each(t, testDatabaseFailures) }

func testDatabaseFailures(t *testing.T, via servetest.Driver) {
	for kind, status := range map[db.Kind]int{db.Unavailable: 503, db.Unknown: 504, db.BadPosition: 400} {
		failing := &dbclient.Fake{
			WriteFunc: func(context.Context, string, db.Write) (db.WriteResult, error) {
				return db.WriteResult{}, db.Errorf(kind, "x")
			},
			ReadFunc: func(context.Context, db.Read) (db.ReadResult, error) {
				return db.ReadResult{}, db.Errorf(kind, "x")
			},
		}
		h, _ := setup(via, failing, false)
		want(t, do(h, http.MethodPut, "/api/v1/users", body("alice", sha1)), status, "")
		want(t, do(h, http.MethodDelete, "/api/v1/users/alice", ""), status, "")
		want(t, do(h, http.MethodGet, "/api/v1/users", ""), status, "")
		want(t, do(h, http.MethodPost, "/api/v1/sessions", body("alice", sha1)), status, "")
	}
	broken := &dbclient.Fake{ReadFunc: func(context.Context, db.Read) (db.ReadResult, error) {
		return db.ReadResult{}, errors.New("a bug")
	}}
	h, _ := setup(via, broken, false)
	want(t, do(h, http.MethodGet, "/api/v1/users", ""), 500, "")
}
