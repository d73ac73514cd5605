package apitest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"rideshare/internal/openapitest"
	"rideshare/internal/stopwatch"
)

// suite sends the requests of one test.
type suite struct {
	t        *testing.T
	target   Target
	client   *http.Client
	document *openapitest.Document // the target's own; nil until it has been read
	session  *session              // shared by all tests
}

// run runs f as a subtest.
func (s *suite) run(name string, f func(*suite)) {
	s.t.Run(name, func(t *testing.T) {
		child := *s
		child.t = t
		f(&child)
	})
}

// caller is who sends a request: a user, by name, or one of these. It matters only where the target
// asks for tokens.
type caller string

const (
	nobody   caller = ""
	operator caller = "\x00operator"
)

// request is a request.
type request struct {
	method, path string
	body         any               // nil: none; a string, []byte or io.Reader: as it is; else: its JSON
	as           caller            // whose token it carries
	host         string            // default: that of the target
	header       map[string]string // "" keeps a header from being sent
}

func (r request) String() string { return fmt.Sprintf("%s %.150s", r.method, r.path) }

// with returns r with a header more.
func (r request) with(name, value string) request {
	header := map[string]string{name: value}
	for k, v := range r.header {
		if k != name {
			header[k] = v
		}
	}
	r.header = header
	return r
}

// by returns r as sent by another caller.
func (r request) by(who caller) request {
	r.as = who
	return r
}

// answer is the answer to a request.
type answer struct {
	request request
	status  int // 0: there was none, which has been reported
	header  http.Header
	body    []byte
	took    time.Duration
}

func (a answer) String() string {
	return fmt.Sprintf("%v: status %d; body %.500s", a.request, a.status, a.body)
}

// do sends a request and checks what has to hold for every answer. It may be called from any
// goroutine: it does not end the test.
//
// Sign-in is rate-limited, and the tests sign in often: where the answer is to come back later, do
// does so.
func (s *suite) do(r request) answer {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		a := s.once(r)
		if a.status != http.StatusTooManyRequests || r.path != sessions || time.Now().After(deadline) {
			return a
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil {
			return a
		}
		time.Sleep(time.Duration(seconds) * time.Second)
	}
}

// once is do without coming back later.
func (s *suite) once(r request) answer {
	s.t.Helper()
	req, err := s.newRequest(r)
	if err != nil {
		s.t.Errorf("%v: %v", r, err)
		return answer{request: r}
	}
	watch := stopwatch.Start()
	resp, err := s.client.Do(req)
	for tries := 1; errors.Is(err, net.ErrClosed) && tries < 5; tries++ {
		// What is too large is answered before all of it was sent. The library then closes the connection,
		// and may tell of its own write that this has ended, in place of the answer.
		if req, err = s.newRequest(r); err == nil {
			resp, err = s.client.Do(req)
		}
	}
	if err != nil {
		watch.Took()
		s.t.Errorf("%v: %v", r, err)
		return answer{request: r}
	}
	defer func() { _ = resp.Body.Close() }() // nothing is written to it
	body, err := io.ReadAll(resp.Body)
	took := watch.Took()
	if err != nil {
		s.t.Errorf("%v: the answer breaks off: %v", r, err)
	}
	a := answer{request: r, status: resp.StatusCode, header: resp.Header, body: body, took: took}
	s.checkAlways(a)
	if r.header[consistencyToken] == "" { // else it may be one that a test made up
		s.session.saw(resp.Header.Get(consistencyToken))
	}
	return a
}

func (s *suite) newRequest(r request) (*http.Request, error) {
	body, err := encode(r.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(s.t.Context(), r.method, s.target.URL+r.path, body)
	if err != nil {
		return nil, err
	}
	req.Host = cmp.Or(r.host, req.Host)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := s.tokenOf(r.as); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	// Like a client that wants to see its own writes: users and rides may be different processes.
	if newest := s.session.newest(); newest != "" && isRead(r) {
		req.Header.Set(consistencyToken, newest)
	}
	for name, value := range r.header {
		req.Header.Del(name)
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

func isRead(r request) bool {
	return r.method == http.MethodGet && hasToken(r.path) || r.path == "/api/v1/db/read"
}

// encode returns the body as it is sent.
func encode(body any) (io.Reader, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case chunked:
		return b.reader(), nil
	case string:
		return strings.NewReader(b), nil
	case []byte:
		return bytes.NewReader(b), nil
	default:
		data, err := json.Marshal(b)
		return bytes.NewReader(data), err
	}
}

// tokenOf returns the token that a caller sends, or "".
func (s *suite) tokenOf(who caller) string {
	switch {
	case !s.target.Auth || who == nobody:
		return ""
	case who == operator:
		return s.target.ServiceToken
	}
	return s.signIn(string(who))
}

// signIn returns the token of a user, signing it in where it has none.
func (s *suite) signIn(username string) string {
	s.t.Helper()
	if token := s.session.token(username); token != "" {
		return token
	}
	a := s.do(signIn(username, digest))
	var body struct{ Token string }
	if err := json.Unmarshal(a.body, &body); err != nil || a.status != http.StatusOK || body.Token == "" {
		s.t.Errorf("%v; want 200 and a token", a)
		return ""
	}
	s.session.keep(username, body.Token)
	return body.Token
}
