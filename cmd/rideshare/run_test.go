package main

import (
	"context"
	"net"
	"regexp"
	"strings"
	"testing"
)

func TestReachable(t *testing.T) {
	for ip, want := range map[string]string{
		"127.0.0.1": "http://127.0.0.1:80", "10.1.2.3": "http://10.1.2.3:80", "::1": "http://[::1]:80",
		"0.0.0.0": "http://127.0.0.1:80", "::": "http://localhost:80",
	} {
		if got, all := reachable(&net.TCPAddr{IP: net.ParseIP(ip), Port: 80}); got != want || (all != "") != net.ParseIP(ip).IsUnspecified() {
			t.Errorf("%s: %s, %s, want %s", ip, got, all, want)
		}
	}
}

// TestWelcome: what is printed can be opened, and names the address as it was given.
func TestWelcome(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:0":   `serves on http://127\.0\.0\.1:\d+ \(RIDESHARE_ADDR is 0\.0\.0\.0:0: all IPv4 addresses of this machine\) after \d+ ms\n`,
		"127.0.0.1:0": `serves on http://127\.0\.0\.1:\d+ after \d+ ms\n`,
	} {
		t.Chdir(t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		var out strings.Builder
		env := environment{err: &out, vars: []string{"RIDESHARE_ADDR=" + addr, "RIDESHARE_AUTH=on", "RIDESHARE_AUTOSCALE=false"}}
		env.out = writerFunc(func(b []byte) (int, error) {
			if strings.Contains(string(b), "The service token is in") {
				cancel() // the last line
			}
			return out.Write(b)
		})
		code := run(ctx, env, []string{"run"})
		cancel()
		if code != 0 || !regexp.MustCompile(want).MatchString(out.String()) || strings.Contains(out.String(), "[::]") {
			t.Errorf("%s: exit code %d\n%s", addr, code, out.String())
		}
	}
}
