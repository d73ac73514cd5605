package dbclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/db"
)

func dialError() (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
}

func resetError() (*http.Response, error) {
	return nil, &net.OpError{Op: "read", Err: errors.New("connection reset")}
}

func unavailable() (*http.Response, error) {
	return answer(503, `{"status":503,"kind":"unavailable"}`, "Retry-After", "1")
}

func TestRetriesUnderTheSameKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys []string
		failures := []func() (*http.Response, error){
			dialError, resetError, unavailable,
			func() (*http.Response, error) { return answer(504, `{"status":504,"kind":"unknown"}`) },
			func() (*http.Response, error) { return answer(502, `<html>`) },
			func() (*http.Response, error) { return answer(200, `{"results":`) },
		}
		c := client(func(r *http.Request) (*http.Response, error) {
			keys = append(keys, r.Header.Get("Idempotency-Key"))
			if n := len(keys); n <= len(failures) {
				return failures[n-1]()
			}
			return answer(200, `{"results":[{"rows":1}],"position":"1.1"}`)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Write(ctx, "", remove("a")); err != nil {
			t.Fatal(err)
		}
		if len(keys) != len(failures)+1 {
			t.Errorf("%d attempts", len(keys))
		}
		for _, key := range keys {
			if key == "" || key != keys[0] {
				t.Errorf("keys %q", keys)
			}
		}
		if took := time.Since(start); took < time.Second || took > 4*time.Second {
			t.Errorf("took %v: Retry-After is 1 s, the pauses are 20 ms to 1 s", took)
		}
	})
}

func TestDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		fail  []func() (*http.Response, error) // the last one for ever
		write db.Kind
	}{
		"never sent":                    {[]func() (*http.Response, error){dialError}, db.Unavailable},
		"refused":                       {[]func() (*http.Response, error){unavailable}, db.Unavailable},
		"lost":                          {[]func() (*http.Response, error){resetError}, db.Unknown},
		"lost, then refused":            {[]func() (*http.Response, error){resetError, dialError, unavailable}, db.Unknown},
		"a gateway gave up":             {[]func() (*http.Response, error){func() (*http.Response, error) { return answer(503, "") }}, db.Unknown},
		"unknown to the orchestrator":   {[]func() (*http.Response, error){func() (*http.Response, error) { return answer(504, "") }}, db.Unknown},
		"published, then broker killed": {[]func() (*http.Response, error){func() (*http.Response, error) { return answer(503, `{"kind":"unknown"}`) }}, db.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				cl := client(func(*http.Request) (*http.Response, error) {
					f := c.fail[min(n, len(c.fail)-1)]
					n++
					return f()
				})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				if _, err := cl.Write(ctx, "id", remove("a")); db.KindOf(err) != c.write {
					t.Errorf("write: %v, want %s", err, c.write)
				}
				if n < 4 || n > 40 {
					t.Errorf("%d attempts in 10 s", n)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("took %v", took)
				}
				again, stop := context.WithTimeout(t.Context(), time.Second)
				defer stop()
				if _, err := cl.Read(again, count); db.KindOf(err) != db.Unavailable {
					t.Errorf("read: %v", err)
				}
			})
		})
	}
}

// The deadline passes while an attempt is under way.
func TestDeadlineDuringAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Write(ctx, "id", remove("a")); db.KindOf(err) != db.Unknown {
			t.Errorf("write: %v", err)
		}
		if _, err := c.Read(ctx, count); db.KindOf(err) != db.Unavailable {
			t.Errorf("read: %v", err)
		}
	})
}
