package auth

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"rideshare/internal/httpapi"
)

// Guesses from one address do not lock the user out at another address.
func TestLimiterByPair(t *testing.T) {
	now := time.Now()
	l := NewLimiter(LimiterConfig{Now: clockAt(&now)})
	refused := 0
	for range 10_000 { // two a second
		now = now.Add(500 * time.Millisecond)
		if l.Allow("victim", "10.6.6.6:1") != nil {
			refused++
		}
		if now.Second()%10 == 0 && now.Nanosecond() < int(500*time.Millisecond) {
			if err := l.Allow("victim", "10.0.0.1:1"); err != nil {
				t.Fatalf("the victim: %v", err)
			}
		}
	}
	if refused < 7000 {
		t.Errorf("only %d of 10,000 guesses were refused", refused)
	}
}

// Guesses from many addresses do not lock the user out at an address that it has signed in from.
func TestLimiterKnowsAddresses(t *testing.T) {
	now := time.Now()
	l := NewLimiter(LimiterConfig{Now: clockAt(&now)})
	l.Succeeded("victim", "10.0.0.1:1")
	refused := 0
	for i := range 1000 {
		if l.Allow("victim", fmt.Sprintf("10.6.%d.%d:1", i/250, i%250)) != nil {
			refused++
		}
	}
	if refused < 890 {
		t.Errorf("only %d of 1,000 guesses were refused", refused)
	}
	if err := l.Allow("victim", "10.0.0.1:2"); err != nil {
		t.Errorf("the victim: %v", err)
	}
	if err := l.Allow("victim", "10.0.0.2:1"); err == nil {
		t.Error("an address that is not known")
	}
}

func TestLimiterByUsername(t *testing.T) {
	now := time.Now()
	l := NewLimiter(LimiterConfig{Username: Rate{PerSecond: 0.5, Burst: 3}, Now: clockAt(&now)})
	for i := range 3 {
		if err := l.Allow("alice", fmt.Sprintf("10.0.0.%d:99", i)); err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	err := l.Allow("alice", "10.0.0.9:99")
	var p *httpapi.Problem
	if !errors.As(err, &p) || p.Status != http.StatusTooManyRequests || p.GetHeaders().Get("Retry-After") != "2" {
		t.Fatalf("err = %v, header %v", err, p.GetHeaders())
	}
	if err := l.Allow("bob", "10.0.0.9:99"); err != nil {
		t.Errorf("another user: %v", err)
	}
	now = now.Add(2 * time.Second)
	if err := l.Allow("alice", "10.0.0.9:99"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := l.Allow("alice", "10.0.0.9:99"); err == nil {
		t.Error("one too many after the wait")
	}
}

func TestLimiterByAddress(t *testing.T) {
	now := time.Now()
	l := NewLimiter(LimiterConfig{Address: Rate{PerSecond: 1, Burst: 2}, Now: clockAt(&now)})
	for i, address := range []string{"[2001:db8::1]:1", "[2001:db8::2]:2"} {
		if err := l.Allow(fmt.Sprint("u", i), address); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Allow("u3", "[2001:db8::3]:3"); err == nil {
		t.Error("addresses of one /64 are told apart")
	}
	if err := l.Allow("u3", "[2001:db8:0:1::3]:3"); err != nil {
		t.Error("another /64:", err)
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	now := time.Now()
	b := newBuckets(Rate{PerSecond: 1, Burst: 1}, 10)
	for i := range 1000 {
		b.take(fmt.Sprint(i), now)
		b.take("often", now)
		if n := len(b.younger) + len(b.older); n > 10 {
			t.Fatalf("%d keys are remembered", n)
		}
	}
	if b.take("often", now) == 0 {
		t.Error("a key in use was forgotten")
	}
}

func TestAddressKey(t *testing.T) {
	for address, want := range map[string]string{
		"10.1.2.3:5555":        "10.1.2.3",
		"10.1.2.3":             "10.1.2.3",
		"[::ffff:10.1.2.3]:1":  "10.1.2.3",
		"[2001:db8::1%eth0]:1": "2001:db8::/64",
		"2001:db8:0:0:1:2:3:4": "2001:db8::/64",
		"":                     "unknown",
		"pipe":                 "unknown",
	} {
		if got := addressKey(address); got != want {
			t.Errorf("addressKey(%q) = %q, want %q", address, got, want)
		}
	}
}
