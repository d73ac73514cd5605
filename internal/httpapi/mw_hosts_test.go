package httpapi

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	hosts, err := ParseHosts("Rides.example.com", "", " 10.1.2.3 ", "fd00:0::7", ".localhost.localstack.cloud", "orchestrator")
	if err != nil {
		t.Fatal(err)
	}
	h := hosts.only()(reply(200))
	for host, status := range map[string]int{
		"localhost":         200,
		"localhost:8080":    200,
		"LocalHost:8080":    200,
		"localhost.":        200,
		"localhost.:8080":   200,
		"localhost:":        200,
		"127.0.0.1":         200,
		"127.0.0.1:8080":    200,
		"127.8.9.10":        200,
		"[::1]":             200,
		"[::1]:8080":        200,
		"[0:0:0:0:0:0:0:1]": 200,

		"[::ffff:127.0.0.1]:8080": 200,

		"rides.example.com":       200,
		"RIDES.example.COM.:443":  200,
		"orchestrator:8083":       200,
		"10.1.2.3:80":             200,
		"[fd00::7]":               200,
		"192.168.7.8:8080":        200, // where the connection arrived
		"[::ffff:192.168.7.8]:80": 200,

		"users.lambda-url.us-east-1.localhost.localstack.cloud:4566": 200,

		"":                                403,
		":8080":                           403,
		".":                               403,
		"evil.example":                    403,
		"evil.example:8080":               403,
		"localhost.evil.example":          403,
		"127.0.0.1.evil.example":          403,
		"127-0-0-1.evil.example":          403,
		"evil.example.rides.example.com":  403,
		"xrides.example.com":              403,
		"example.com":                     403,
		"localhost.localstack.cloud":      403,
		".localhost.localstack.cloud":     403,
		"xlocalhost.localstack.cloud":     403,
		"a.localhost.localstack.cloud.x":  403,
		"localhost..":                     403,
		"localhost:80:80":                 403,
		"localhost:x":                     403,
		"localhost@evil.example":          403,
		"evil.example@localhost":          403,
		"localhost,evil.example":          403,
		"localhost evil.example":          403,
		"::1":                             403, // no host: the address needs brackets
		"[::1":                            403,
		"[::1]x":                          403,
		"[::1]:x":                         403,
		"[localhost]":                     403,
		"[127.0.0.1]":                     200, // odd, and still an address
		"[::1%25lo]":                      403,
		"[::1%lo]":                        403,
		"127.1":                           403,
		"2130706433":                      403,
		"0x7f000001":                      403,
		"0x7f.0.0.1":                      403,
		"0177.0.0.1":                      403,
		"017700000001":                    403,
		"127.0.0.01":                      403,
		"0.0.0.0":                         403,
		"[::]":                            403,
		"10.1.2.4":                        403,
		"192.168.7.9":                     403,
		"１２７.0.0.1":                       403,
		"ｌocalhost":                       403,
		"localhos\u0131":                  403,
		strings.Repeat("localhost.", 900): 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		local := &net.TCPAddr{IP: net.ParseIP("192.168.7.8"), Port: 8080}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local)))
		if w.Code != status {
			t.Errorf("%.80q: %d, want %d", host, w.Code, status)
		}
		if w.Code == 403 {
			if p := problem(t, w, 403); !strings.Contains(p.Detail, "RIDESHARE_HOSTS") || len(p.Detail) > 1000 {
				t.Errorf("%.80q: %s", host, p.Detail)
			}
		}
	}
}

// In memory and under Lambda there is no address on which a connection arrived.
func TestHostsWithoutConnection(t *testing.T) {
	hosts, err := ParseHosts()
	if err != nil {
		t.Fatal(err)
	}
	for host, own := range map[string]bool{"localhost": true, "[::1]:80": true, "192.168.7.8": false, "orchestrator": false} {
		if hosts.own(host, nil) != own {
			t.Errorf("%s: not %t", host, own)
		}
	}
}

func TestOwnHosts(t *testing.T) {
	for addr, own := range map[string]map[string]bool{
		":8080":             {"localhost": true, "": false, "0.0.0.0": false, "listed": true},
		"0.0.0.0:8080":      {"0.0.0.0": false, "10.0.0.1:8080": false},
		"[::]:8080":         {"[::]:8080": false, "[::1]:8080": true},
		"10.0.0.1:8080":     {"10.0.0.1:8080": true, "10.0.0.2:8080": false},
		"[FD00:0::1]:80":    {"[fd00::1]": true},
		"Rides.Example:443": {"rides.example": true, "example": false},
		"127.0.0.1:0":       {"127.0.0.1": true, "rides.example": false},
	} {
		hosts, err := OwnHosts(addr, []string{"listed"})
		if err != nil {
			t.Fatal(err)
		}
		for host, want := range own {
			if hosts.own(host, nil) != want {
				t.Errorf("on %s: %q is not %t", addr, host, want)
			}
		}
	}
	if _, err := OwnHosts(":8080", []string{"a:1"}); err == nil || !strings.Contains(err.Error(), "RIDESHARE_HOSTS") {
		t.Error(err)
	}
}

func TestParseHostsRefuses(t *testing.T) {
	for _, host := range []string{"http://example.com", "example.com:8080", "*", "*.example.com", "a b", "a/b", ".", "..", "é.example", "[::1]", "a,b"} {
		if _, err := ParseHosts("localhost", host); err == nil || !strings.Contains(err.Error(), host) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// TestHostsOfAServer: every path of an API with Hosts is behind them, and over a connection the host is
// the one that the server goes by.
func TestHostsOfAServer(t *testing.T) {
	hosts, err := ParseHosts()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(things(Options{Hosts: hosts, Handlers: map[string]http.Handler{"GET /page": reply(200)}}, echo).Handler())
	defer s.Close()
	for request, status := range map[string]int{
		"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n":                                     200,
		"GET /page HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                  403,
		"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n":                               403,
		"GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n":                               403,
		"DELETE /things/1 HTTP/1.1\r\nHost: evil.example\r\n\r\n":                           403,
		"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                  200, // the server's own answer, which is empty
		"GET /page HTTP/1.0\r\n\r\n":                                                        403,
		"GET /page HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n":                                     200,
		"GET /page HTTP/1.1\r\n\r\n":                                                        400,
		"GET /page HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n":               400,
		"GET http://evil.example/page HTTP/1.1\r\nHost: localhost\r\n\r\n":                  403,
		"GET http://localhost/page HTTP/1.1\r\nHost: evil.example\r\n\r\n":                  200, // no browser sends that
		"GET /page HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n":   403,
		"GET /page HTTP/1.1\r\nHost: evil.example\r\nForwarded: host=\"localhost\"\r\n\r\n": 403,
	} {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != status {
			t.Errorf("%q: %+v, %v; want %d", request, answer, err, status)
		}
		_ = conn.Close()
	}
	if w := do(things(Options{}, echo).Handler(), http.MethodGet, "http://evil.example/healthz", nil); w.Code != 200 {
		t.Errorf("an API that asks for tokens: %d", w.Code)
	}
}
