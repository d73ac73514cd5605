package users

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/serve/servetest"
)

const sessions = "/api/v1/sessions"

func TestSignIn(t *testing.T) { servetest.Each(t, testSignIn) }

func testSignIn(t *testing.T, via servetest.Driver) {
	h, tokens := setup(via, &dbtest.DB{}, true)
	signUp(t, h, "alice")
	w := do(h, http.MethodPost, sessions, body("alice", strings.ToUpper(sha1)))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got struct {
		Token   string
		Expires string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if a, err := tokens.Verify(got.Token); a.Username != "alice" || a.ID == "" || a.Generation == "" || err != nil {
		t.Errorf("the token is that of %+v, %v", a, err)
	}
	if expires, err := time.Parse(time.RFC3339, got.Expires); err != nil || time.Until(expires) > time.Hour || time.Until(expires) < 50*time.Minute {
		t.Errorf("expires %s, %v", got.Expires, err)
	}

	nobody := do(h, http.MethodPost, sessions, body("nobody", sha1))
	wrong := do(h, http.MethodPost, sessions, body("alice", strings.Repeat("0", 40)))
	want(t, nobody, 401, "")
	if nobody.Code != wrong.Code || nobody.Body.String() != wrong.Body.String() {
		t.Errorf("the answers tell who exists: %s, %s", nobody.Body, wrong.Body)
	}
	for _, b := range []string{``, `{}`, `[]`, body("alice", "secret"), body("a/b", sha1), `{"username":"alice"}`} {
		want(t, do(h, http.MethodPost, sessions, b), 400, "")
	}
}

func TestSignInIsLimited(t *testing.T) { servetest.Each(t, testSignInIsLimited) }

func testSignInIsLimited(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, false)
	signUp(t, h, "alice")
	for range 10 {
		want(t, do(h, http.MethodPost, sessions, body("alice", strings.Repeat("0", 40))), 401, "")
	}
	w := do(h, http.MethodPost, sessions, body("alice", sha1))
	want(t, w, 429, "")
	if w.Header().Get("Retry-After") == "" {
		t.Errorf("%v", w.Header())
	}
}

func TestSignInIsLimitedByAddress(t *testing.T) { servetest.Each(t, testSignInIsLimitedByAddress) }

func testSignInIsLimitedByAddress(t *testing.T, via servetest.Driver) {
	h, _ := setup(via, &dbtest.DB{}, false)
	status := 0
	for i := 0; status != 429 && i < 200; i++ {
		status = do(h, http.MethodPost, sessions, body(fmt.Sprint("u", i), sha1)).Code
	}
	if status != 429 {
		t.Errorf("200 names from one address: %d", status)
	}
}
