package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

type thing struct {
	Name  string   `json:"name" minLength:"1"`
	Size  int64    `json:"size,omitempty"`
	Parts []string `json:"parts,omitempty"`
}

type thingInput struct {
	Idempotency
	ID     string `path:"id"`
	Filter string `query:"filter"`
	Body   thing
}

type thingOutput struct {
	Status int
	Body   thing
}

// things is an API with one operation, whose error and status the test chooses.
func things(o Options, handler func(context.Context, *thingInput) (*thingOutput, error)) *API {
	a := New(o)
	Register(a, huma.Operation{
		OperationID: "put-thing", Method: http.MethodPut, Path: "/things/{id}", Summary: "Put",
	}, Answers{200: "Done"}, handler)
	return a
}

func echo(_ context.Context, in *thingInput) (*thingOutput, error) {
	return &thingOutput{Status: 200, Body: in.Body}, nil
}

func TestBadInput(t *testing.T) {
	h := things(Options{}, echo).Handler()
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"good":              {`{"name":"a","size":9007199254740993}`, 200},
		"empty":             {``, 400},
		"no JSON":           {`{`, 400},
		"two values":        {`{"name":"a"} {}`, 400},
		"null":              {`null`, 400},
		"a list":            {`[]`, 400},
		"a string":          {`"a"`, 400},
		"a missing field":   {`{}`, 400},
		"an unknown field":  {`{"name":"a","colour":1}`, 400},
		"another case":      {`{"NAME":"a"}`, 400},
		"both cases":        {`{"name":"a","NAME":"b"}`, 400},
		"a wrong type":      {`{"name":1}`, 400},
		"null for a field":  {`{"name":null}`, 400},
		"an empty name":     {`{"name":""}`, 400},
		"a huge number":     {`{"name":"a","size":1e999}`, 400},
		"a large number":    {`{"name":"a","size":92233720368547758070}`, 400},
		"a fraction":        {`{"name":"a","size":1.5}`, 400},
		"deep":              {deep, 400},
		"deep in a field":   {`{"name":` + deep + `}`, 400},
		"invalid UTF-8":     {"{\"name\":\"\xff\"}", 400},
		"NUL":               {"{\"name\":\"a\x00\"}", 400},
		"a long field":      {`{"` + strings.Repeat("x", 100_000) + `":1}`, 400},
		"duplicate fields":  {`{"name":"a","name":"b"}`, 400},
		"escaped duplicate": {`{"name":"a","n\u0061me":"a"}`, 400},
		"nested duplicate":  {`{"name":"a","colour":{"r":1,"r":1}}`, 400},
		"half a pair":       {`{"name":"\ud800"}`, 400},
		"half in a name":    {`{"name":"a","\udfff":1}`, 400},
		"a pair":            {`{"name":"\ud83d\ude95"}`, 200},
		"just too large":    {`{"name":"` + strings.Repeat("a", MaxBody) + `"}`, 413},
		"just small enough": {`{"name":"` + strings.Repeat("a", MaxBody-11) + `"}`, 200},
	} {
		t.Run(name, func(t *testing.T) {
			// Without a Content-Length too, as a chunked body comes.
			for _, body := range []io.Reader{strings.NewReader(c.body), io.MultiReader(strings.NewReader(c.body))} {
				w := do(h, http.MethodPut, "/things/1", body)
				if w.Code != c.status {
					t.Fatalf("%d, want %d: %.300s", w.Code, c.status, w.Body)
				}
				if c.status != 200 {
					problem(t, w, c.status)
					if w.Body.Len() > 8000 {
						t.Errorf("the answer has %d bytes", w.Body.Len())
					}
				}
			}
		})
	}
}

func TestProblemsDoNotEchoValues(t *testing.T) {
	h := things(Options{}, echo).Handler()
	w := do(h, http.MethodPut, "/things/1", strings.NewReader(`{"name":5,"password":"hunter2"}`))
	p := problem(t, w, 400)
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("%s", w.Body)
	}
	if len(p.Errors) != 2 || p.Field == "" {
		t.Errorf("%+v", p)
	}
}

func TestAnyMediaTypeIsJSON(t *testing.T) {
	h := things(Options{}, echo).Handler()
	for _, accept := range []string{"text/html", "application/json;q=0", "json", "*/*", "application/cbor"} {
		w := do(h, http.MethodPut, "/things/1?unknown&x=%25zz", strings.NewReader(`{"name":"<a>"}`),
			"Content-Type", "application/x-www-form-urlencoded", "Accept", accept)
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v", accept, w.Code, w.Header())
		}
		if w.Header().Get("Link") != "" || strings.Contains(w.Body.String(), "$schema") {
			t.Errorf("links: %v %s", w.Header(), w.Body)
		}
	}
}

func TestQueryAfterAnEmptyParameter(t *testing.T) {
	var got string
	h := things(Options{}, func(ctx context.Context, in *thingInput) (*thingOutput, error) {
		got = in.Filter
		return echo(ctx, in)
	}).Handler()
	do(h, http.MethodPut, "/things/1?debug&filter=a%20b", strings.NewReader(`{"name":"a"}`))
	if got != "a b" {
		t.Errorf("filter = %q", got)
	}
}

func TestErrorsOfOperations(t *testing.T) {
	var log bytes.Buffer
	h := things(Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(context.Context, *thingInput) (*thingOutput, error) {
		return nil, errors.New("the secret cause")
	}).Handler()
	w := do(h, http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`))
	problem(t, w, 500)
	if strings.Contains(w.Body.String(), "secret") || strings.Count(log.String(), "the secret cause") != 1 {
		t.Errorf("answer %s, log %s", w.Body, &log)
	}
}

func TestNoContentHasNoType(t *testing.T) {
	h := things(Options{}, func(context.Context, *thingInput) (*thingOutput, error) {
		return &thingOutput{Status: http.StatusNoContent}, nil
	}).Handler()
	w := do(h, http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`))
	if w.Code != 204 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}

func TestExtraHandlers(t *testing.T) {
	h := New(Options{Handlers: map[string]http.Handler{"GET /metrics": reply(http.StatusTeapot)}}).Handler()
	if w := do(h, http.MethodGet, "/metrics", nil); w.Code != http.StatusTeapot {
		t.Errorf("%d", w.Code)
	}
}
