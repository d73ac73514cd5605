package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rideshare/internal/httpapi"
)

// A function sees nothing of a body that is not whole. Its client is told at once.
func TestBodiesThatAreNotWhole(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	head := func(method, path, more string) string {
		return method + " /api/v1/" + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n"
	}
	for name, c := range map[string]struct{ request, want string }{
		"no chunk":           {head("POST", "sessions", "Transfer-Encoding: chunked\r\n") + "zz\r\n", "400"},
		"no chunk, of a GET": {head("GET", "rides/count", "Transfer-Encoding: chunked\r\n") + "zz\r\n", "400"},
		"breaks off":         {head("POST", "users", "Transfer-Encoding: chunked\r\n") + "5\r\n{\"use\r\nzz\r\n", "400"},
		"stops coming":       {head("POST", "users", "Content-Length: 10\r\n") + "{", "408"},
		"large, breaks off":  {head("POST", "rides", "Transfer-Encoding: chunked\r\n") + "20000\r\n" + strings.Repeat(" ", 0x20000) + "\r\nzz\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := f.raw(c.request); !strings.HasPrefix(got, "HTTP/1.1 "+c.want) {
				t.Errorf("the answer is %q, want %s", got, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if n := asked.Load(); n != 0 {
			t.Errorf("functions got %d requests", n)
		}
	})
}

// The function refuses a body that is too large. It gets zeros in its place.
func TestBodiesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, httpapi.LimitBody(httpapi.MaxBody)(http.HandlerFunc(echo)).ServeHTTP)
	large := strings.Repeat("x", 10<<20)
	for name, body := range map[string]io.Reader{"in one piece": strings.NewReader(large), "chunked": io.MultiReader(strings.NewReader(large))} {
		for range 5 {
			answer, err := http.Post(f.url+"/api/v1/rides", "application/json", body)
			if err != nil {
				t.Fatal(name, err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: it got %d", name, answer.StatusCode)
			}
			body = strings.NewReader(large)
		}
	}
}

func TestLargeBodiesArrive(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, echo)
	large := strings.Repeat("x", httpapi.MaxBody)
	if code, got := f.call("POST", "/api/v1/rides", large); code != 200 || !strings.HasSuffix(got, large) {
		t.Errorf("%d, and %d bytes", code, len(got))
	}
}

// A large answer arrives whole, and one that breaks off after 64 KiB is not taken for the whole.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", size))
		if r.URL.Path == "/api/v1/rides/half" {
			panic(http.ErrAbortHandler)
		}
	})
	if code, body := f.call("GET", "/api/v1/rides", ""); code != 200 || len(body) != size {
		t.Errorf("it got %d, %d bytes", code, len(body))
	}
	if answer, err := http.Get(f.url + "/api/v1/rides/half"); err == nil {
		if n, err := io.Copy(io.Discard, answer.Body); err == nil {
			t.Errorf("%d bytes are taken for the whole answer", n)
		}
		_ = answer.Body.Close()
	}
}
