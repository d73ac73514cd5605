package dbclient_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

// transport is an http.RoundTripper of a function.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func answer(status int, body string, header ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func client(t transport) *dbclient.Client {
	return dbclient.New(dbclient.Config{URL: "http://orchestrator/base/", Token: secret.New("s3rvice"), Transport: t})
}

func readAfter(t *testing.T, r *http.Request) (db.Consistency, string) {
	t.Helper()
	var body struct {
		Consistency db.Consistency
		After       string
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body.Consistency, body.After
}

var count = db.Read{Queries: []db.Query{{Table: "rides", Count: true}}}

func remove(name string) db.Write {
	return db.Write{Ops: []db.Op{{Delete: "users", Where: []db.Condition{db.Where("username", db.Eq, name)}, Expect: db.Rows(1)}}}
}

func TestWriteRequest(t *testing.T) {
	c := client(func(r *http.Request) (*http.Response, error) {
		if r.URL.String() != "http://orchestrator/base/api/v1/db/write" || r.Method != http.MethodPost {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		if r.Header.Get("Authorization") != "Bearer s3rvice" || r.Header.Get("Idempotency-Key") != "id1" {
			t.Errorf("header %v", r.Header)
		}
		body, _ := io.ReadAll(r.Body)
		if w, err := db.DecodeWrite(body); err != nil || w.Ops[0].Delete != "users" {
			t.Errorf("body %s: %v", body, err)
		}
		return answer(200, `{"results":[{"rows":1,"values":{"ride_id":9007199254740993}}],"position":"1.7"}`)
	})
	request := consistency.NewRequest(db.Position{})
	result, err := c.Write(consistency.NewContext(t.Context(), request), "id1", remove("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if got := db.Row(result.Results[0].Values).Int("ride_id"); got != 9007199254740993 {
		t.Errorf("a large number became %d", got)
	}
	if want := (db.Position{Epoch: 1, Seq: 7}); request.Newest() != want || c.Newest() != want {
		t.Errorf("request knows %v, client knows %v", request.Newest(), c.Newest())
	}
}

func TestWriteAlwaysHasAKey(t *testing.T) {
	keys := map[string]bool{}
	c := client(func(r *http.Request) (*http.Response, error) {
		keys[r.Header.Get("Idempotency-Key")] = true
		return answer(200, `{"results":[],"position":"1.1"}`)
	})
	for range 2 {
		if _, err := c.Write(t.Context(), "", remove("a")); err != nil {
			t.Fatal(err)
		}
	}
	if len(keys) != 2 || keys[""] {
		t.Errorf("keys %v", keys)
	}
}

// A write under a caller's key carries the digest of the caller's request. One under a key of the client's own
// carries the key, which no other request has. A read carries none.
func TestWritesCarryTheDigestOfTheRequest(t *testing.T) {
	var got, keys []string
	c := client(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.Header.Get("Request-Digest"))
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		return answer(200, `{"results":[],"position":"1.1"}`)
	})
	var want string
	handler := func(w http.ResponseWriter, r *http.Request) {
		want = httpapi.Digest(r.Context())
		for _, id := range []string{"id", ""} {
			if _, err := c.Write(r.Context(), id, remove("a")); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Read(r.Context(), count); err != nil {
			t.Error(err)
		}
	}
	api := httpapi.New(httpapi.Options{Handlers: map[string]http.Handler{"PUT /": http.HandlerFunc(handler)}})
	api.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, "/", strings.NewReader(`{"a":1}`)))
	if want == "" || !slices.Equal(got, []string{want, keys[1], ""}) {
		t.Errorf("digests %q of the keys %q, want %q for the first", got, keys, want)
	}
}

func TestErrorsComeBack(t *testing.T) {
	c := client(func(*http.Request) (*http.Response, error) {
		return answer(409, `{"status":409,"detail":"no match","kind":"expectation","op":2}`)
	})
	_, err := c.Write(t.Context(), "id", remove("a"))
	if !db.FailedOp(err, db.Expectation, 2) {
		t.Errorf("err = %v", err)
	}
	c = client(func(*http.Request) (*http.Response, error) {
		return answer(400, `{"status":400,"detail":"queries: too many","kind":"invalid","field":"queries"}`)
	})
	_, err = c.Read(t.Context(), count)
	var e *db.Error
	if !errors.As(err, &e) || e.Kind != db.Invalid || e.Field != "queries" || e.Message != "too many" {
		t.Errorf("err = %v", err)
	}
	c = client(func(*http.Request) (*http.Response, error) { return answer(401, `{"status":401}`) })
	if _, err = c.Read(t.Context(), count); err == nil || errors.As(err, &e) && e.Kind == "" {
		t.Errorf("err = %v", err)
	}
}

func TestReadsCoverWhatWasSeen(t *testing.T) {
	var level db.Consistency
	var after string
	c := client(func(r *http.Request) (*http.Response, error) {
		level, after = readAfter(t, r)
		return answer(200, `{"results":[{"count":1}],"position":"2.20"}`)
	})
	read := func(token db.Position, r db.Read) {
		t.Helper()
		if _, err := c.Read(consistency.NewContext(t.Context(), consistency.NewRequest(token)), r); err != nil {
			t.Fatal(err)
		}
	}
	read(db.Position{}, count)
	if level != db.Session || after != "" {
		t.Errorf("first: %s after %q", level, after)
	}
	read(db.Position{Epoch: 1, Seq: 5}, count)
	if after != "2.20" {
		t.Errorf("with an old token: after %q", after)
	}
	read(db.Position{Epoch: 3, Seq: 30}, count)
	if after != "3.30" {
		t.Errorf("with a new token: after %q", after)
	}
	strong := count
	strong.Consistency = db.Strong
	read(db.Position{}, strong)
	if level != db.Strong || after != "" {
		t.Errorf("strong: %s after %q", level, after)
	}
}

// A log that was lost and begun anew does not reach what the client remembers.
func TestReadForgetsItsOwnBadPosition(t *testing.T) {
	var asked []string
	position := "1.100"
	c := client(func(r *http.Request) (*http.Response, error) {
		_, after := readAfter(t, r)
		asked = append(asked, after)
		p, _ := db.ParsePosition(position)
		q, _ := db.ParsePosition(after)
		if !p.Covers(q) {
			return answer(400, `{"status":400,"detail":"not reached","kind":"position"}`)
		}
		return answer(200, `{"results":[{"count":1}],"position":"`+position+`"}`)
	})
	if _, err := c.Read(t.Context(), count); err != nil {
		t.Fatal(err)
	}
	position = "2.10"
	request := consistency.NewRequest(db.Position{Epoch: 1, Seq: 4})
	if _, err := c.Read(consistency.NewContext(t.Context(), request), count); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, " "); got != " 1.100 1.4" {
		t.Errorf("asked for %q", got)
	}
	if got := c.Newest().String(); got != "2.10" {
		t.Errorf("remembers %s", got)
	}

	request = consistency.NewRequest(db.Position{Epoch: 1, Seq: 50})
	_, err := c.Read(consistency.NewContext(t.Context(), request), count)
	var e *db.Error
	if !errors.As(err, &e) || e.Kind != db.BadPosition || e.Field != consistency.Header {
		t.Errorf("with the caller's own bad token: %v", err)
	}
	if got := request.Newest(); got != (db.Position{}) {
		t.Errorf("the bad token would go back: %v", got)
	}
}

func TestReady(t *testing.T) {
	status := 200
	c := client(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path != "/base/readyz" {
			t.Errorf("path %s", r.URL.Path)
		}
		if status == 0 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		return answer(status, "")
	})
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	for _, status = range []int{503, 0} {
		if err := c.Ready(t.Context()); err == nil {
			t.Errorf("%d passes for ready", status)
		}
	}
}
