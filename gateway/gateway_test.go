package gateway_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rideshare/gateway"
)

func TestRoute(t *testing.T) {
	for path, want := range map[string]gateway.Function{
		"/": gateway.Rides, "/docs": gateway.Rides, "/metrics": gateway.Rides, "/users": gateway.Rides, "/api/v1": gateway.Rides,
		"/api/v1/rides": gateway.Rides, "/api/v1/rides/1/users": gateway.Rides, "/api/v1/other": gateway.Rides, "/api/v1/usersx": gateway.Rides,
		"/api/v1/users": gateway.Users, "/api/v1/users/db": gateway.Users, "/api/v1/sessions": gateway.Users,
		"/api/v1/db/read": gateway.Orchestrator, "/api/v1/crash/master": gateway.Orchestrator,
		"/api/v1/worker/list": gateway.Orchestrator, "/api/v1/cluster": gateway.Orchestrator, "/api/v1/cluster/switchover": gateway.Orchestrator,
	} {
		if got := gateway.Route(path); got != want {
			t.Errorf("%s goes to %v, want %v", path, got, want)
		}
	}
}

func TestRequestsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, echo)
	host := strings.TrimPrefix(f.url, "http://")
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/api/v1/rides?a=%zz;b", "", `GET ` + host + ` /api/v1/rides?a=%zz;b key="" for=["6.6.6.6, 127.0.0.1"] `},
		{"GET", "/api/v1/users/a%2Fb/c%20d", "", `GET ` + host + ` /api/v1/users/a%2Fb/c%20d key="" for=["6.6.6.6, 127.0.0.1"] `},
		{"POST", "/api/v1/db/read", "{}", `POST ` + host + ` /api/v1/db/read key="" for=["6.6.6.6, 127.0.0.1"] {}`},
		{"POST", "/api/v1/sessions", "{}", `POST ` + host + ` /api/v1/sessions key="" for=["6.6.6.6, 127.0.0.1"] {}`},
		{"POST", "/api/v1/crash/master", "", `POST ` + host + ` /api/v1/crash/master key="" for=["6.6.6.6, 127.0.0.1"] `},
	} {
		if code, got := f.call(c.method, c.path, c.body, "X-Forwarded-For", "6.6.6.6"); code != 200 || got != c.want {
			t.Errorf("%s %s: %d\n%s, want\n%s", c.method, c.path, code, got, c.want)
		}
	}
	if _, got := f.call("DELETE", "/api/v1/rides/1", "", "Idempotency-Key", "mine"); !strings.Contains(got, `key="mine"`) {
		t.Error(got)
	}
	keys := map[string]bool{}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		_, got := f.call(method, "/api/v1/rides", "")
		_, key, _ := strings.Cut(got, "key=")
		keys[key] = true
	}
	if len(keys) != 3 || keys[`""`] {
		t.Errorf("keys of writes that came without: %v", keys)
	}
}

// A request that nobody could send on is refused. It says nothing about a function.
func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	for request, want := range map[string]string{
		"GET http://xn--%ff/ HTTP/1.1\r\nHost: x\r\n\r\n": "400",
		"GET /\xff HTTP/1.1\r\nHost: \xff\r\n\r\n":        "400",
		"GET http://a\"b/ HTTP/1.1\r\nHost: x\r\n\r\n":    "400",
		"GET http:foo HTTP/1.1\r\nHost: x\r\n\r\n":        "400",
		"GET / HTTP/1.0\r\n\r\n":                          "400",
		"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n":     "405",
		"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n":           "405",
	} {
		if got := f.raw(strings.Replace(request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); !strings.Contains(got, " "+want+" ") {
			t.Errorf("%q got %.100q, want %s", request, got, want)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("functions got %d requests", n)
	}
	upgrade := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: \xff\r\n\r\n"
	if got := f.raw(upgrade); !strings.HasPrefix(got, "HTTP/1.1 200") || asked.Load() != 1 {
		t.Errorf("an upgrade got %.100q", got)
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, echo)
	if code, body := f.call("HEAD", "/api/v1/rides/count", ""); code != 200 || body != "" {
		t.Errorf("it got %d %q", code, body)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, hangUp)
	if code, _ := f.call("GET", "/gateway/healthz", ""); code != 200 {
		t.Errorf("it got %d", code)
	}
}
