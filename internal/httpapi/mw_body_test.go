package httpapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestLimitBody(t *testing.T) {
	var got string
	h := LimitBody(5)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = string(data)
	}))
	for body, status := range map[string]int{"": 200, "12345": 200, "123456": 413} {
		got = ""
		if w := do(h, http.MethodPost, "/", strings.NewReader(body)); w.Code != status || status == 200 && got != body {
			t.Errorf("%q: %d, read %q", body, w.Code, got)
		}
		if w := do(h, http.MethodPost, "/", io.MultiReader(strings.NewReader(body))); w.Code != status {
			t.Errorf("%q, chunked: %d", body, w.Code)
		}
	}
	problem(t, do(h, http.MethodGet, "/", strings.NewReader("123456")), 413)
}

func TestBrokenBody(t *testing.T) {
	h := LimitBody(100)(reply(200))
	problem(t, do(h, http.MethodPost, "/", iotest.ErrReader(errors.New("reset"))), 400)
	problem(t, do(h, http.MethodPost, "/", iotest.ErrReader(os.ErrDeadlineExceeded)), 408)
}

// connection records the read deadlines that are set.
type connection struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error {
	c.deadlines = append(c.deadlines, t)
	return nil
}

// The deadline for reading the body must not stay on the connection: net/http would cancel the
// context of an operation that takes longer.
func TestBodyDeadlineIsTakenAway(t *testing.T) {
	c := &connection{ResponseRecorder: httptest.NewRecorder()}
	things(Options{}, echo).Handler().ServeHTTP(c,
		httptest.NewRequest(http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`)))
	if c.Code != 200 || len(c.deadlines) < 2 || c.deadlines[0].IsZero() {
		t.Fatalf("%d, deadlines %v", c.Code, c.deadlines)
	}
	for _, d := range c.deadlines[1:] {
		if !d.IsZero() {
			t.Errorf("a deadline is left: %v", c.deadlines)
		}
	}
}

// Where a body did not arrive in time the deadline stays, and the connection ends: net/http would
// read what is left of the body first, for as long as the client likes to send it.
func TestASlowBodyEndsItsConnection(t *testing.T) {
	c := &connection{ResponseRecorder: httptest.NewRecorder()}
	LimitBody(100)(reply(200)).ServeHTTP(c, httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(os.ErrDeadlineExceeded)))
	if c.Code != 408 || c.Header().Get("Connection") != "close" || len(c.deadlines) != 1 {
		t.Errorf("%d, %v, deadlines %v", c.Code, c.Header(), c.deadlines)
	}
}

// Slow clients with large bodies keep only each other waiting.
func TestLargeBodiesAreBounded(t *testing.T) {
	h := LimitBody(MaxBody)(reply(200))
	var senders []*io.PipeWriter
	ended := make(chan int, largeBodies)
	for range largeBodies {
		r, w := io.Pipe()
		senders = append(senders, w)
		go func() { ended <- do(h, http.MethodPost, "/", r).Code }()
		if _, err := w.Write(make([]byte, smallBody+2)); err != nil { // it has taken its slot when it reads the last byte
			t.Fatal(err)
		}
	}
	large := func() int {
		return do(h, http.MethodPost, "/", strings.NewReader(strings.Repeat("x", smallBody+1))).Code
	}
	if code := large(); code != 503 {
		t.Errorf("one large body more got %d, want 503", code)
	}
	if code := do(h, http.MethodPost, "/", strings.NewReader(strings.Repeat("x", smallBody))).Code; code != 200 {
		t.Errorf("a small body got %d", code)
	}
	for _, w := range senders {
		_ = w.Close()
		if code := <-ended; code != 200 {
			t.Errorf("a large body got %d", code)
		}
	}
	if code := large(); code != 200 {
		t.Errorf("a large body afterwards got %d", code)
	}
}
