package serve_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/httpapi"
	"rideshare/internal/serve"
	"rideshare/internal/serve/servetest"
)

// event returns the event of a GET, changed.
func event(change func(*servetest.Event)) servetest.Event {
	e := servetest.Event{
		Version: "2.0", RawPath: "/",
		RequestContext: servetest.RequestContext{Stage: "$default", DomainName: servetest.Domain,
			HTTP: servetest.HTTPContext{Method: "GET", SourceIP: "192.0.2.1"}},
	}
	if change != nil {
		change(&e)
	}
	return e
}

func newFunction(base string, h http.HandlerFunc) (*serve.Function, *bytes.Buffer) {
	log := &bytes.Buffer{}
	return serve.NewFunction(h, base, slog.New(slog.NewTextHandler(log, nil)), nil), log
}

func invoke(t *testing.T, f *serve.Function, e servetest.Event) servetest.Answer {
	t.Helper()
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var a servetest.Answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return a
}

// call has a handler answer an event.
func call(t *testing.T, h http.HandlerFunc, change func(*servetest.Event)) servetest.Answer {
	t.Helper()
	f, _ := newFunction("", h)
	return invoke(t, f, event(change))
}

func wantProblem(t *testing.T, a servetest.Answer, status int) {
	t.Helper()
	var p httpapi.Problem
	if err := json.Unmarshal([]byte(a.Body), &p); err != nil || p.Status != status || a.StatusCode != status || a.Headers["Content-Type"] != httpapi.ProblemType {
		t.Errorf("want a problem of status %d: %+v", status, a)
	}
}

func TestNothingWrittenIsOK(t *testing.T) {
	a := call(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "1") }, nil)
	if a.StatusCode != http.StatusOK || a.Body != "" || a.Headers["X-A"] != "1" {
		t.Errorf("%+v", a)
	}
}

func TestFirstStatusWins(t *testing.T) {
	a := call(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("X-A", "in time")
		w.WriteHeader(http.StatusCreated)
		w.Header().Set("X-A", "too late")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "body")
		w.WriteHeader(http.StatusTeapot)
	}, nil)
	if a.StatusCode != http.StatusCreated || a.Headers["X-A"] != "in time" || a.Body != "body" || a.IsBase64Encoded {
		t.Errorf("%+v", a)
	}
}

func TestPanics(t *testing.T) {
	panicking := true
	var value any
	f, log := newFunction("", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "1")
		_, _ = io.WriteString(w, "half an answer")
		if panicking {
			panic(value)
		}
	})
	for _, value = range []any{"a bug", http.ErrAbortHandler} {
		log.Reset()
		a := invoke(t, f, event(nil))
		wantProblem(t, a, 500)
		if a.Headers["X-A"] != "" || strings.Contains(a.Body, "half") {
			t.Errorf("%+v", a)
		}
		// An abort was logged by whoever aborts.
		if logged := strings.Contains(log.String(), "a bug") && strings.Contains(log.String(), "lambda_test.go"); logged != (value == "a bug") {
			t.Errorf("%v: logged %q", value, log)
		}
	}
	panicking = false
	if a := invoke(t, f, event(nil)); a.StatusCode != http.StatusOK || a.Body != "half an answer" {
		t.Errorf("the next call: %+v", a)
	}
}

func TestPaths(t *testing.T) {
	for name, c := range map[string]struct {
		base, stage, raw string
		want             string // path, and as it is encoded
	}{
		"root":                       {"", "$default", "/", "/ /"},
		"nothing":                    {"", "$default", "", "/ /"},
		"plain":                      {"", "$default", "/a/b", "/a/b /a/b"},
		"slash at the end":           {"", "$default", "/a/", "/a/ /a/"},
		"two slashes":                {"", "$default", "//a", "//a //a"},
		"encoded slash":              {"", "$default", "/u/a%2Fb", "/u/a/b /u/a%2Fb"},
		"encoded letter":             {"", "$default", "/u/%C3%BC", "/u/ü /u/%C3%BC"},
		"lower case":                 {"", "$default", "/u/%c3%bc", "/u/ü /u/%c3%bc"},
		"encoded without need":       {"", "$default", "/u/%61", "/u/a /u/%61"},
		"encoded space":              {"", "$default", "/u/a%20b", "/u/a b /u/a%20b"},
		"encoded percent sign":       {"", "$default", "/u/100%25", "/u/100% /u/100%25"},
		"encoded twice":              {"", "$default", "/u/a%252Fb", "/u/a%2Fb /u/a%252Fb"},
		"no UTF-8":                   {"", "$default", "/u/%FF", "/u/\xff /u/%FF"},
		"decoded letter":             {"", "$default", "/u/ü", "/u/ü /u/%C3%BC"},
		"decoded space":              {"", "$default", "/u/a b", "/u/a b /u/a%20b"},
		"decoded percent sign":       {"", "$default", "/u/100%", "/u/100% /u/100%25"},
		"decoded question mark":      {"", "$default", "/u/a?b#c", "/u/a?b#c /u/a%3Fb%23c"},
		"decoded control":            {"", "$default", "/u/a\nb", "/u/a\nb /u/a%0Ab"},
		"decoded, looks encoded":     {"", "$default", "/u/ü%2F", "/u/ü%2F /u/%C3%BC%252F"},
		"base":                       {"/rideshare", "$default", "/rideshare/api", "/api /api"},
		"base without slashes":       {"a/b", "$default", "/a/b/c", "/c /c"},
		"base and a slash":           {"/rideshare/", "$default", "/rideshare/api", "/api /api"},
		"the base itself":            {"/rideshare", "$default", "/rideshare", "/ /"},
		"begins like the base":       {"/ride", "$default", "/rideshare/api", "/rideshare/api /rideshare/api"},
		"not below the base":         {"/rideshare", "$default", "/api", "/api /api"},
		"the base once":              {"/a", "$default", "/a/a/b", "/a/b /a/b"},
		"base, and an encoded slash": {"/a", "$default", "/a/x%2Fy", "/x/y /x%2Fy"},
		"stage":                      {"", "dev", "/dev/api", "/api /api"},
		"stage alone":                {"", "dev", "/dev", "/ /"},
		"begins like the stage":      {"", "dev", "/devices", "/devices /devices"},
		"stage and base":             {"/a", "dev", "/dev/a/b", "/b /b"},
		"no stage":                   {"", "", "//a", "//a //a"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			f, _ := newFunction(c.base, func(_ http.ResponseWriter, r *http.Request) {
				got = r.URL.Path + " " + r.URL.EscapedPath()
				if want := r.URL.EscapedPath() + "?q=1"; r.RequestURI != want || r.URL.Host != "" {
					t.Errorf("RequestURI %q, want %q; host %q", r.RequestURI, want, r.URL.Host)
				}
			})
			a := invoke(t, f, event(func(e *servetest.Event) {
				e.RawPath, e.RawQueryString, e.RequestContext.Stage = c.raw, "q=1", c.stage
			}))
			if got != c.want || a.StatusCode != http.StatusOK {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The address has a port, as net/http gives it one: handlers take that off.
func TestRequest(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*servetest.Event)
		get    func(*http.Request) any
		want   any
	}{
		"method":     {func(e *servetest.Event) { e.RequestContext.HTTP.Method = "DELETE" }, func(r *http.Request) any { return r.Method }, "DELETE"},
		"address":    {nil, func(r *http.Request) any { return r.RemoteAddr }, "192.0.2.1:0"},
		"IPv6":       {func(e *servetest.Event) { e.RequestContext.HTTP.SourceIP = "2001:db8::1" }, func(r *http.Request) any { return r.RemoteAddr }, "[2001:db8::1]:0"},
		"host":       {func(e *servetest.Event) { e.Headers = map[string]string{"host": "example.org"} }, func(r *http.Request) any { return r.Host + r.Header.Get("Host") }, "example.org"},
		"no host":    {nil, func(r *http.Request) any { return r.Host }, servetest.Domain},
		"queries":    {func(e *servetest.Event) { e.RawQueryString = "a=1&a=2&b=%C3%BC+x&c" }, func(r *http.Request) any { return map[string][]string(r.URL.Query()) }, map[string][]string{"a": {"1", "2"}, "b": {"ü x"}, "c": {""}}},
		"hash":       {func(e *servetest.Event) { e.RawQueryString = "a=1#2" }, func(r *http.Request) any { return r.URL.Query().Get("a") }, "1#2"},
		"parameters": {func(e *servetest.Event) { e.QueryStringParameters = map[string]string{"a": "1 2&"} }, func(r *http.Request) any { return r.URL.Query().Get("a") }, "1 2&"},
		"header":     {func(e *servetest.Event) { e.Headers = map[string]string{"idempotency-key": "a, b"} }, func(r *http.Request) any { return r.Header.Values("Idempotency-Key") }, []string{"a, b"}},
		"repeated": {func(e *servetest.Event) { e.Headers = map[string]string{"x-forwarded-for": "6.6.6.6,192.0.2.1"} },
			func(r *http.Request) any { return r.Header.Get("X-Forwarded-For") }, "6.6.6.6,192.0.2.1"},
		"cookies": {func(e *servetest.Event) { e.Cookies = []string{"a=1", "b=2"} }, func(r *http.Request) any {
			a, _ := r.Cookie("a")
			b, _ := r.Cookie("b")
			return a.Value + b.Value + r.Header.Get("Cookie")
		}, "12a=1; b=2"},
		"text":     {func(e *servetest.Event) { e.Body = "ü" }, body, "ü 2"},
		"base64":   {func(e *servetest.Event) { e.Body, e.IsBase64Encoded = "AP8=", true }, body, "\x00\xff 2"},
		"no body":  {nil, body, " 0"},
		"deadline": {nil, func(r *http.Request) any { _, ok := r.Context().Deadline(); return ok }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var got any
			call(t, func(_ http.ResponseWriter, r *http.Request) { got = c.get(r) }, c.change)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func body(r *http.Request) any {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return fmt.Sprintf("%s %d", b, r.ContentLength)
}

func TestAnswers(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	t.Run("binary", func(t *testing.T) {
		a := call(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(all) }, nil)
		if a.Body != base64.StdEncoding.EncodeToString(all) || !a.IsBase64Encoded {
			t.Errorf("%+v", a)
		}
	})
	t.Run("text", func(t *testing.T) {
		const text = "<ü>&\u2028\x00"
		a := call(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }, nil)
		if a.Body != text || a.IsBase64Encoded {
			t.Errorf("%+v", a)
		}
	})
	t.Run("cookies and repeated headers", func(t *testing.T) {
		a := call(t, func(w http.ResponseWriter, _ *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
			w.Header().Add("Vary", "A")
			w.Header().Add("Vary", "B")
			w.Header()["Date"] = nil
		}, nil)
		want := map[string]string{"Vary": "A,B"}
		if diff := cmp.Diff(want, a.Headers) + cmp.Diff([]string{"a=1", "b=2"}, a.Cookies); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("no body where there must be none", func(t *testing.T) {
		for method, status := range map[string]int{"HEAD": 200, "GET": 204, "PUT": 304} {
			a := call(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "body")
			}, func(e *servetest.Event) { e.RequestContext.HTTP.Method = method })
			if a.StatusCode != status || a.Body != "" {
				t.Errorf("%+v", a)
			}
		}
	})
	t.Run("too large", func(t *testing.T) {
		f, log := newFunction("", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 6<<20)) })
		wantProblem(t, invoke(t, f, event(nil)), 500)
		if !strings.Contains(log.String(), "larger") {
			t.Errorf("logged %q", log)
		}
	})
	t.Run("no base64", func(t *testing.T) {
		wantProblem(t, call(t, func(http.ResponseWriter, *http.Request) { t.Error("it was called") },
			func(e *servetest.Event) { e.Body, e.IsBase64Encoded = "%", true }), 400)
	})
}

func TestDeadlineIsThatOfTheInvocation(t *testing.T) {
	want := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), want)
	defer cancel()
	var got time.Time
	f, _ := newFunction("", func(_ http.ResponseWriter, r *http.Request) {
		got, _ = r.Context().Deadline()
		cancel()
		<-r.Context().Done()
	})
	payload, _ := json.Marshal(event(nil))
	if _, err := f.Invoke(ctx, payload); err != nil || !got.Equal(want) {
		t.Errorf("%v, want %v; %v", got, want, err)
	}
}

// A REST API, a test event of the console: whoever set that up has to see it.
func TestOtherEventsAreErrors(t *testing.T) {
	f, _ := newFunction("", func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	for _, payload := range []string{
		``, `{}`, `null`, `[]`, `{"key1":"value1"}`, `{"version":"2.0"}`,
		`{"version":"1.0","httpMethod":"GET","path":"/"}`, `{"version":"2.0","requestContext":{"http":{"method":"A B"}}}`,
	} {
		if out, err := f.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%s: %s", payload, out)
		}
	}
}

// FuzzEvents: no event that is a request fails the invocation, whatever it holds.
func FuzzEvents(f *testing.F) {
	f.Add("GET", "/a%2Fb", "a=1&a=2", "x-a", "1", "dev", "192.0.2.1", "body", true)
	f.Add("PUT", "/ü?#\x00", "%zz;#", "", "\n", "$default", "::", "AP8=", true)
	f.Fuzz(func(t *testing.T, method, path, query, name, value, stage, ip, body string, encoded bool) {
		function, _ := newFunction("/base", func(_ http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/") && strings.HasPrefix(path, "/") {
				t.Errorf("path %q", r.URL.Path)
			}
		})
		e := event(func(e *servetest.Event) {
			e.RawPath, e.RawQueryString, e.Headers, e.RequestContext.Stage = path, query, map[string]string{name: value}, stage
			e.RequestContext.HTTP = servetest.HTTPContext{Method: method, SourceIP: ip}
			e.Body, e.IsBase64Encoded = body, encoded
		})
		payload, err := json.Marshal(e)
		if err != nil {
			t.Skip()
		}
		if _, err := http.NewRequest(method, "/", nil); err != nil || method == "" {
			return // an error, as TestOtherEventsAreErrors says
		}
		if out, err := function.Invoke(t.Context(), payload); err != nil {
			t.Errorf("%s: %s %v", payload, out, err)
		}
	})
}

// The same request, directly and as an event.
func TestGatewayKeepsRequestsAsTheyAre(t *testing.T) {
	servetest.Each(t, func(t *testing.T, via servetest.Driver) {
		h := via(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "c", Value: "1"})
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprint(w, r.Method, r.URL, r.RequestURI, r.Host, r.Header.Get("X-A"), r.Header.Get("Cookie"), body(r))
		}))
		r := httptest.NewRequest(http.MethodPost, "/a%2Fb/%C3%BC?x=1&x=2", strings.NewReader("\xff\x00"))
		r.Header.Set("X-A", "1")
		r.Header.Set("Cookie", "a=1; b=2")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		const want = "POST/a%2Fb/%C3%BC?x=1&x=2/a%2Fb/%C3%BC?x=1&x=2example.com1a=1; b=2\xff\x00 2"
		if w.Code != 202 || w.Body.String() != want || w.Header().Get("Set-Cookie") != "c=1" {
			t.Errorf("%d %q %v, want %q", w.Code, w.Body, w.Header(), want)
		}
	})
}
