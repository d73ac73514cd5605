package users

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
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

func TestClientAddress(t *testing.T) {
	for name, c := range map[string]struct {
		trust     bool
		forwarded string
		want      string
	}{
		"direct":                      {false, "", "10.0.0.1:99"},
		"a client's own claim":        {false, "1.2.3.4", "10.0.0.1:99"},
		"our gateway":                 {true, "1.2.3.4", "1.2.3.4"},
		"a claim through our gateway": {true, "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		"gateway without the header":  {true, "", "10.0.0.1:99"},
		"a proxy before our gateway":  {true, "1.2.3.4, 172.16.0.9", "1.2.3.4"},
		"two of them":                 {true, "6.6.6.6, 1.2.3.4, 172.16.0.8,172.16.0.9", "1.2.3.4"},
		"a proxy that does not know":  {true, "172.16.0.9", "172.16.0.9"},
		"a proxy that says nonsense":  {true, "x, 172.16.0.9", "x"},
	} {
		f := &function{Config: Config{TrustForwardedFor: c.trust, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("172.16.0.0/16")}}}
		if got := f.clientAddress(client{remote: "10.0.0.1:99", forwarded: c.forwarded}); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
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
