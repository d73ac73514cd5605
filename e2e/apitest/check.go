package apitest

import (
	"encoding/json"
	"mime"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	sessions         = "/api/v1/sessions"
	consistencyToken = "Consistency-Token"
	idempotencyKey   = "Idempotency-Key"
)

// patience is how long is waited for what the contract lets take a while.
const patience = 30 * time.Second

var position = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)

// checkAlways checks what has to hold for every answer: it is no 5xx; an error is a problem
// document (RFC 9457); a 204 has no body; any other success is JSON; the answers of users, rides
// and the database carry a position. And the target's OpenAPI document has the status and a schema
// that the body fits.
func (s *suite) checkAlways(a answer) {
	s.t.Helper()
	content, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	api := strings.HasPrefix(a.request.path, "/api/")
	switch {
	case a.status >= 500:
		s.t.Errorf("%v; no request may get a 5xx", a)
	case a.status >= 400:
		s.checkProblem(a, content)
	case a.status == http.StatusNoContent && len(a.body) > 0:
		s.t.Errorf("%v; a 204 has no body", a)
	case a.status == http.StatusNoContent:
	case api && content != "application/json":
		s.t.Errorf("%v; Content-Type %q, want application/json", a, a.header.Get("Content-Type"))
	}
	known := a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed
	if token := a.header.Get(consistencyToken); known && hasToken(a.request.path) && !position.MatchString(token) {
		s.t.Errorf("%v; Consistency-Token %q, want a position", a, token)
	}
	if s.document != nil && !slices.Contains(pages, a.request.path) {
		if err := s.document.CheckAnswer(a.request.method, a.request.path, a.status, a.header, a.body); err != nil {
			s.t.Errorf("%v; %v", a, err)
		}
	}
}

// hasToken reports whether the answers of a path carry a Consistency-Token.
func hasToken(path string) bool {
	for _, prefix := range []string{"/api/v1/users", "/api/v1/rides", "/api/v1/db/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func (s *suite) checkProblem(a answer, content string) {
	s.t.Helper()
	var problem struct {
		Title  string
		Status int
	}
	if content != "application/problem+json" {
		s.t.Errorf("%v; Content-Type %q, want application/problem+json", a, content)
	} else if err := json.Unmarshal(a.body, &problem); err != nil {
		s.t.Errorf("%v; want a problem document: %v", a, err)
	} else if problem.Title == "" || problem.Status != a.status {
		s.t.Errorf("%v; title %q and status %d, want a title and status %d", a, problem.Title, problem.Status, a.status)
	}
}

// testCase is a line of a table: a request and the answer that is wanted.
type testCase struct {
	name string
	request
	status int
	body   string                   // its JSON; "": not compared, but for a 204, which has none
	check  func(s *suite, a answer) // nil: no more
}

// cases tries each line as a subtest, in order.
func (s *suite) cases(cases ...testCase) {
	for _, c := range cases {
		s.run(c.name, func(s *suite) {
			a := s.want(c.request, c.status)
			if c.body != "" {
				s.wantJSON(a, c.body)
			}
			if c.check != nil {
				c.check(s, a)
			}
		})
	}
}

// want sends a request and checks the status.
func (s *suite) want(r request, status int) answer {
	s.t.Helper()
	a := s.do(r)
	if a.status != status && a.status != 0 {
		s.t.Errorf("%v: status %d, want %d; body %.500s", r, a.status, status, a.body)
	}
	return a
}

// must is want for what later steps rest upon: it ends the test.
func (s *suite) must(r request, status int) answer {
	s.t.Helper()
	a := s.want(r, status)
	if a.status != status {
		s.t.FailNow()
	}
	return a
}

// wantJSON compares a body with JSON, whatever its spacing.
func (s *suite) wantJSON(a answer, wanted string) {
	s.t.Helper()
	var got, want any
	if err := json.Unmarshal([]byte(wanted), &want); err != nil {
		s.t.Fatalf("the wanted JSON %s: %v", wanted, err)
	}
	if err := json.Unmarshal(a.body, &got); err != nil || !reflect.DeepEqual(got, want) {
		s.t.Errorf("%v; want body %s", a, wanted)
	}
}

// decode returns the body of an answer as a T, and ends the test where it is none.
func decode[T any](s *suite, a answer) T {
	s.t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		s.t.Fatalf("%v: %v", a, err)
	}
	return v
}

// eventually waits until ok returns "", and fails with what it returned last.
func (s *suite) eventually(ok func() string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		missing := ok()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("after %v: %s", patience, missing)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
