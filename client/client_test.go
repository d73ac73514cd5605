package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// script is a transport that gives these answers in turn, and keeps the requests.
type script struct {
	answers  []answer
	requests []*http.Request
	at       []time.Duration // of each request, since the first
	begun    time.Time
}

type answer struct {
	err    error
	status int
	body   string
	header http.Header
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(s.requests) == 0 {
		s.begun = time.Now()
	}
	s.requests, s.at = append(s.requests, r), append(s.at, time.Since(s.begun))
	if len(s.answers) == 0 {
		return nil, errors.New("no request was expected")
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	if a.err != nil {
		return nil, a.err
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.status >= 400 && strings.HasPrefix(a.body, "{") {
		a.header.Set("Content-Type", "application/problem+json")
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// scripted calls f, in a bubble of time, with a client that gets these answers.
func scripted(t *testing.T, answers []answer, f func(*testing.T, *Client, *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: answers}
		f(t, New("http://rides.example/", WithHTTPClient(&http.Client{Transport: s}), WithToken("t0ken")), s)
		if len(s.answers) > 0 {
			t.Errorf("%d answers were not asked for", len(s.answers))
		}
	})
}

func later(seconds string) http.Header { return http.Header{"Retry-After": {seconds}} }

func token(position string) http.Header { return http.Header{"Consistency-Token": {position}} }

var (
	refusedError = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	resetError   = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
)

func TestWriteIsRetriedWithTheSameKey(t *testing.T) {
	scripted(t, []answer{
		{err: refusedError}, {err: resetError}, {status: 504, body: `{"title":"Gateway Timeout","status":504,"kind":"unknown"}`},
		{status: 503, body: "<html>", header: later("3")}, {status: 201, body: `{"rideId":7}`},
	}, func(t *testing.T, c *Client, s *script) {
		ride, err := c.CreateRide(t.Context(), NewRide{CreatedBy: "ann", Source: 1, Destination: 2, Timestamp: "01-01-2030:00-00-00"})
		if err != nil || ride.RideID != 7 {
			t.Fatalf("%+v, %v", ride, err)
		}
		key := s.requests[0].Header.Get("Idempotency-Key")
		for _, r := range s.requests {
			body, _ := io.ReadAll(r.Body)
			if r.Header.Get("Idempotency-Key") != key || key == "" || r.Header.Get("Authorization") != "Bearer t0ken" ||
				r.URL.String() != "http://rides.example/api/v1/rides" || !strings.Contains(string(body), `"created_by":"ann"`) {
				t.Errorf("%s %s %v %s", r.Method, r.URL, r.Header, body)
			}
		}
		if waited := s.at[4] - s.at[3]; waited < 3*time.Second || waited > 5*time.Second {
			t.Errorf("%v after a Retry-After of 3 s", waited)
		}
	})
}

// A request that cannot be sent is no failure of the system, and is not tried again.
func TestWhatCannotBeSent(t *testing.T) {
	for name, call := range map[string]func() error{
		"token":    func() error { return New("http://rides.example", WithToken("sec\nret")).Readyz(t.Context()) },
		"key":      func() error { return New("http://rides.example").DBClear(WithIdempotencyKey(t.Context(), "a\x00")) },
		"scheme":   func() error { return New("ftp://rides.example").Readyz(t.Context()) },
		"no host":  func() error { return New("http:///").Readyz(t.Context()) },
		"no URL":   func() error { return New("rides.example:8080").Readyz(t.Context()) },
		"no sense": func() error { return New("http://[::1").Readyz(t.Context()) },
	} {
		err := call()
		var unanswered *Unanswered
		if err == nil || errors.As(err, &unanswered) || strings.Contains(err.Error(), "ret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A caller who cancels gets that, and not what it has cut off.
func TestCancelled(t *testing.T) {
	scripted(t, []answer{{err: resetError}}, func(t *testing.T, c *Client, _ *script) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if err := c.Readyz(ctx); err != context.Canceled { // and nothing else
			t.Errorf("%v", err)
		}
	})
}

func TestKeyOfTheCaller(t *testing.T) {
	scripted(t, []answer{{status: 200, body: "{}"}}, func(t *testing.T, c *Client, s *script) {
		if err := c.DBClear(WithIdempotencyKey(t.Context(), "mine")); err != nil || s.requests[0].Header.Get("Idempotency-Key") != "mine" {
			t.Errorf("%v, %v", err, s.requests[0].Header)
		}
	})
}

// A second crash would kill a second worker.
func TestWhatIsNotIdempotentIsSentOnce(t *testing.T) {
	for name, a := range map[string]answer{"reset": {err: resetError}, "503": {status: 503, body: `{"title":"x","status":503}`}} {
		scripted(t, []answer{a}, func(t *testing.T, c *Client, _ *script) {
			if _, err := c.CrashMaster(t.Context()); err == nil {
				t.Errorf("%s: no error", name)
			}
		})
	}
	scripted(t, []answer{{err: refusedError}, {status: 200, body: `["7"]`}}, func(t *testing.T, c *Client, _ *script) {
		if killed, err := c.CrashMaster(t.Context()); err != nil || fmt.Sprint(killed) != "[7]" {
			t.Errorf("what was not sent is sent again: %v, %v", killed, err)
		}
	})
}

func TestFinalAnswersAreNotRetried(t *testing.T) {
	scripted(t, []answer{{status: 409, body: `{"title":"Conflict","status":409,"kind":"expectation","op":2,"detail":"no"}`}}, func(t *testing.T, c *Client, _ *script) {
		_, err := c.DBWrite(t.Context(), WriteRequest{})
		var p *Problem
		if !errors.As(err, &p) || p.Kind != "expectation" || *p.Op != 2 || StatusOf(err) != 409 || err.Error() != "409 Conflict: no" {
			t.Errorf("%#v", err)
		}
	})
	scripted(t, []answer{{status: 404, body: "<html>not RideShare</html>"}}, func(t *testing.T, c *Client, _ *script) {
		if err := c.Healthz(t.Context()); StatusOf(err) != 404 || err.Error() != "404 Not Found" {
			t.Error(err)
		}
	})
	scripted(t, []answer{{status: 200, body: "<html>not RideShare</html>"}}, func(t *testing.T, c *Client, _ *script) {
		if _, err := c.GetCluster(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer as RideShare does") {
			t.Error(err)
		}
	})
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		for range 1000 {
			s.answers = append(s.answers, answer{status: 503, body: `{"title":"x","status":503,"detail":"nobody"}`, header: later("1")})
		}
		c := New("http://rides.example", WithHTTPClient(&http.Client{Transport: s}), WithPatience(10*time.Second))
		err := c.Readyz(t.Context())
		if took := time.Since(s.begun); StatusOf(err) != 503 || took < 7*time.Second || took > 10*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := c.Readyz(ctx); !errors.Is(err, context.DeadlineExceeded) || StatusOf(err) != 503 {
			t.Errorf("the deadline of the context: %v", err)
		}
	})
}

func TestReadsSeeWhatWasSeenBefore(t *testing.T) {
	scripted(t, []answer{
		{status: 201, body: `{"rideId":7}`, header: token("3.9")},
		{status: 200, body: `[1]`, header: token("3.8")}, // from an instance that is behind
		{status: 200, body: `[1]`, header: token("4.12")},
		{status: 400, body: `{"title":"x","status":400,"kind":"position","field":"Consistency-Token"}`},
		{status: 200, body: `[0]`, header: token("5.2")},
		{status: 204},
	}, func(t *testing.T, c *Client, s *script) {
		if _, err := c.CreateRide(t.Context(), NewRide{}); err != nil {
			t.Fatal(err)
		}
		for range 3 { // the third one is of a system that was begun anew
			if _, err := c.CountRides(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if ride, err := c.GetRide(t.Context(), "a/b"); ride != nil || err != nil {
			t.Errorf("no ride: %v, %v", ride, err)
		}
		var sent []string
		for _, r := range s.requests {
			sent = append(sent, r.Header.Get("Consistency-Token"))
		}
		if got, want := fmt.Sprintf("%q", sent), `["" "3.9" "3.9" "4.12" "" "5.2"]`; got != want {
			t.Errorf("sent %s, not %s", got, want)
		}
		if got := s.requests[5].URL.EscapedPath(); got != "/api/v1/rides/a%2Fb" {
			t.Errorf("path %s", got)
		}
	})
}

func TestQuery(t *testing.T) {
	scripted(t, []answer{{status: 200, body: `["b"]`}, {status: 204}}, func(t *testing.T, c *Client, s *script) {
		if users, err := c.ListUsers(t.Context(), ListUsersQuery{After: "a&b"}); err != nil || fmt.Sprint(users) != "[b]" {
			t.Errorf("%v, %v", users, err)
		}
		if rides, err := c.ListRides(t.Context(), ListRidesQuery{Source: 1}); rides != nil || err != nil {
			t.Errorf("%v, %v", rides, err)
		}
		if a, b := s.requests[0].URL.RawQuery, s.requests[1].URL.RawQuery; a != "after=a%26b" || b != "destination=0&source=1" {
			t.Errorf("%s and %s", a, b)
		}
	})
}
