package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func TestSameOrigin(t *testing.T) {
	h := sameOrigin()(reply(200))
	for name, c := range map[string]struct {
		method string
		header []string
		status int
	}{
		"no browser":             {http.MethodPost, nil, 200},
		"our own page":           {http.MethodPost, []string{"Sec-Fetch-Site", "same-origin"}, 200},
		"another site":           {http.MethodPost, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another, old browser":   {http.MethodPut, []string{"Origin", "https://evil.example"}, 403},
		"another site's reading": {http.MethodGet, []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		if w := do(h, c.method, "http://localhost:8080/", nil, c.header...); w.Code != c.status {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	problem(t, do(h, http.MethodPost, "/", nil, "Sec-Fetch-Site", "cross-site"), 403)
}

// sharing is an API that app.example may use, with an operation of each kind and a page.
func sharing(origins ...string) http.Handler {
	a := New(Options{
		Origins:  origins,
		Guard:    func(ctx context.Context, _ []map[string][]string, _ string) (context.Context, error) { return ctx, nil },
		Handlers: map[string]http.Handler{"GET /page": reply(200)},
	})
	for path, security := range map[string][]map[string][]string{
		"/open/{id}": nil, "/mine/{id}": Require(User), "/operators/{id}": Require(Service),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			Register(a, huma.Operation{OperationID: method + path, Method: method, Path: path, Security: security}, Answers{200: "Done"},
				func(context.Context, *struct{}) (*EmptyOutput, error) { return &EmptyOutput{}, nil })
		}
	}
	return a.Handler()
}

const app = "https://app.example"

func TestListedOriginsShareThePublicOperations(t *testing.T) {
	h := sharing(app, "http://localhost:3000")
	for name, c := range map[string]struct {
		method, path, origin string
		status               int
		shared               bool
	}{
		"reading":                          {http.MethodGet, "/open/1", app, 200, true},
		"the other origin":                 {http.MethodGet, "/open/1", "http://localhost:3000", 200, true},
		"the header alone":                 {http.MethodHead, "/open/1", app, 200, true},
		"writing":                          {http.MethodPut, "/open/1", app, 200, true},
		"with a user's token":              {http.MethodPut, "/mine/1", app, 200, true},
		"health":                           {http.MethodGet, "/healthz", app, 200, true},
		"operators' writing":               {http.MethodPut, "/operators/1", app, 403, false},
		"operators' reading":               {http.MethodGet, "/operators/1", app, 200, false},
		"a page":                           {http.MethodGet, "/page", app, 200, false},
		"no such path":                     {http.MethodGet, "/nothing", app, 404, false},
		"no such method":                   {http.MethodDelete, "/open/1", app, 403, false},
		"another origin's reading":         {http.MethodGet, "/open/1", "https://evil.example", 200, false},
		"another origin's writing":         {http.MethodPut, "/open/1", "https://evil.example", 403, false},
		"an origin that begins like it":    {http.MethodPut, "/open/1", "https://app.example.evil.example", 403, false},
		"an origin that ends like it":      {http.MethodPut, "/open/1", "https://evil-app.example", 403, false},
		"the same host by another scheme":  {http.MethodPut, "/open/1", "http://app.example", 403, false},
		"the same host at another port":    {http.MethodPut, "/open/1", "https://app.example:8443", 403, false},
		"a document without an origin":     {http.MethodPut, "/open/1", "null", 403, false},
		"two origins in one header":        {http.MethodPut, "/open/1", app + " https://evil.example", 403, false},
		"a listed origin in another case":  {http.MethodPut, "/open/1", "https://APP.example", 403, false},
		"a page that is served here":       {http.MethodPut, "/open/1", "http://api.example", 200, false},
		"a client that is no browser":      {http.MethodPut, "/open/1", "", 200, false},
		"a path that leads to operators":   {http.MethodPut, "/open/../operators/1", app, 403, false},
		"operators' path, percent-encoded": {http.MethodPut, "/%6Fperators/1", app, 403, false},
	} {
		t.Run(name, func(t *testing.T) {
			site := "cross-site"
			if c.origin == "" || c.origin == "http://api.example" {
				site = "same-origin"
			}
			w := do(h, c.method, "http://api.example"+c.path, nil, "Origin", c.origin, "Sec-Fetch-Site", site)
			if w.Code != c.status {
				t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			wantShared(t, w, c.origin, c.shared)
			if exposed := w.Header().Get("Access-Control-Expose-Headers"); c.shared != strings.Contains(exposed, "Consistency-Token, Link, Location, Retry-After") {
				t.Errorf("Access-Control-Expose-Headers is %q", exposed)
			}
		})
	}
}

// wantShared checks whether a page of the origin may have the answer. A cache must not give the answer
// for one origin to another.
func wantShared(t *testing.T, w *httptest.ResponseRecorder, origin string, shared bool) {
	t.Helper()
	want := ""
	if shared {
		want = origin
	}
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
		t.Errorf("Access-Control-Allow-Origin is %q, want %q", got, want)
	}
	if got := w.Header().Values("Vary"); len(got) != 1 || got[0] != "Origin" {
		t.Errorf("Vary is %q", got)
	}
	if got := w.Header().Get("Access-Control-Allow-Credentials"); got != "" {
		t.Errorf("Access-Control-Allow-Credentials is %q", got)
	}
}

func TestPreflight(t *testing.T) {
	h := sharing(app)
	for name, c := range map[string]struct {
		path, origin, method string
		allowed              bool
	}{
		"writing":                {"/open/1", app, http.MethodPut, true},
		"reading with a header":  {"/open/1", app, http.MethodGet, true},
		"with a user's token":    {"/mine/1", app, http.MethodPut, true},
		"another origin":         {"/open/1", "https://evil.example", http.MethodPut, false},
		"no origin":              {"/open/1", "", http.MethodPut, false},
		"operators' operations":  {"/operators/1", app, http.MethodPut, false},
		"operators' reading":     {"/operators/1", app, http.MethodGet, false},
		"a page":                 {"/page", app, http.MethodGet, false},
		"no such path":           {"/nothing", app, http.MethodPut, false},
		"no such method":         {"/open/1", app, http.MethodDelete, false},
		"OPTIONS that is not it": {"/open/1", app, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := do(h, http.MethodOptions, "http://api.example"+c.path, nil, "Origin", c.origin, "Access-Control-Request-Method", c.method,
				"Access-Control-Request-Headers", "authorization,content-type", "Sec-Fetch-Site", "cross-site")
			wantShared(t, w, c.origin, c.allowed)
			if !c.allowed {
				if w.Code != 405 && w.Code != 404 || w.Header().Get("Access-Control-Allow-Methods") != "" {
					t.Errorf("%d %v", w.Code, w.Header())
				}
				return
			}
			if w.Code != 204 || w.Body.Len() > 0 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			for header, want := range map[string]string{
				"Access-Control-Allow-Methods": c.method,
				"Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Consistency-Token, traceparent, X-Request-Id",
				"Access-Control-Max-Age":       "600",
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
		})
	}
}

// An error has to be readable, too: else a page sees only that something failed.
func TestErrorsAreShared(t *testing.T) {
	h := sharing(app)
	for name, header := range map[string][]string{
		"a bad token":     {"Consistency-Token", "tea"},
		"a large request": {"Content-Type", "text/plain"},
	} {
		body := strings.NewReader(strings.Repeat("x", MaxBody+1))
		w := do(h, http.MethodPut, "/open/1", body, append(header, "Origin", app, "Sec-Fetch-Site", "cross-site")...)
		if w.Code != 400 && w.Code != 413 {
			t.Errorf("%s: %d", name, w.Code)
		}
		wantShared(t, w, app, true)
	}
}

// Without origins nothing is different from a server that knows nothing of CORS.
func TestNothingIsSharedByDefault(t *testing.T) {
	h := sharing()
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions} {
		w := do(h, method, "/open/1", nil, "Origin", app, "Sec-Fetch-Site", "cross-site", "Access-Control-Request-Method", "PUT")
		for name := range w.Header() {
			if name == "Vary" || strings.HasPrefix(name, "Access-Control") {
				t.Errorf("%s: %s is %q", method, name, w.Header().Get(name))
			}
		}
		if want := map[string]int{"GET": 200, "PUT": 403, "OPTIONS": 405}[method]; w.Code != want {
			t.Errorf("%s: %d, want %d", method, w.Code, want)
		}
	}
}
