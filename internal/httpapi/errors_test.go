package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/db"
)

func TestFromError(t *testing.T) {
	unknown := db.Errorf(db.Unknown, "no reply")
	for name, c := range map[string]struct {
		err    error
		status int
		kind   db.Kind
		retry  string
	}{
		"a problem":          {Forbidden("no"), 403, "", ""},
		"a wrapped problem":  {fmt.Errorf("x: %w", BadRequest("f", "no")), 400, "", ""},
		"too many":           {TooManyRequests(1500*time.Millisecond, "no"), 429, "", "2"},
		"invalid":            {db.Errorf(db.Invalid, "no"), 400, db.Invalid, ""},
		"position":           {db.Errorf(db.BadPosition, "no"), 400, db.BadPosition, ""},
		"duplicate":          {db.OpError(db.Duplicate, 3, "no"), 409, db.Duplicate, ""},
		"foreign key":        {db.OpError(db.ForeignKey, 3, "no"), 409, db.ForeignKey, ""},
		"expectation":        {db.OpError(db.Expectation, 3, "no"), 409, db.Expectation, ""},
		"key reused":         {db.Reply{Digest: "a"}.Fits("b"), 422, db.KeyReused, ""},
		"unavailable":        {db.Errorf(db.Unavailable, "no"), 503, db.Unavailable, "1"},
		"unknown":            {unknown, 504, db.Unknown, ""},
		"unknown, no broker": {fmt.Errorf("%w (%w)", unknown, bus.ErrUnavailable), 503, db.Unknown, "1"},
		"queue full":         {bus.ErrFull, 503, db.Unavailable, "1"},
		"no broker":          {fmt.Errorf("x: %w", bus.ErrUnavailable), 503, db.Unavailable, "1"},
		"closed":             {bus.ErrClosed, 503, db.Unavailable, "1"},
		"deadline":           {context.DeadlineExceeded, 503, db.Unavailable, "1"},
		"anything else":      {errors.New("secret"), 500, "", ""},
		"an unheard-of kind": {db.Errorf("new", "secret"), 500, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := FromError(c.err)
			if p.Status != c.status || p.Kind != c.kind || p.GetHeaders().Get("Retry-After") != c.retry {
				t.Errorf("%+v, header %v", p, p.GetHeaders())
			}
			if strings.Contains(p.Detail, "secret") {
				t.Errorf("the detail tells %q", p.Detail)
			}
			if c.kind == db.Unknown && !strings.HasPrefix(p.Detail, UnknownOutcome) {
				t.Errorf("detail %q", p.Detail)
			}
			if c.status == 409 && (p.Op == nil || *p.Op != 3) {
				t.Errorf("op %v", p.Op)
			}
		})
	}
}

func TestFromErrorNamesTheField(t *testing.T) {
	w := db.Write{Ops: []db.Op{{Insert: "nowhere", Values: map[string]db.Value{"a": 1}}}}
	p := FromError(w.Check())
	if p.Field != "ops[0].insert" || !strings.HasPrefix(p.Detail, "ops[0].insert: ") {
		t.Errorf("%+v", p)
	}
}

func TestClip(t *testing.T) {
	if got := clip("short"); got != "short" {
		t.Errorf("%q", got)
	}
	long := clip("x" + strings.Repeat("ü", 1000))
	if len(long) > 520 || !strings.HasSuffix(long, "ü...") {
		t.Errorf("%d bytes, ends %q", len(long), long[len(long)-6:])
	}
}
