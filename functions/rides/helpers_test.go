package rides

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rideshare/functions/internal/account"
	"rideshare/internal/auth"
	"rideshare/internal/db"
	"rideshare/internal/dbclient"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
	"rideshare/internal/serve/servetest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const path = "/api/v1/rides"

// setup returns the function over database, at the time now.
func setup(via servetest.Driver, database dbclient.DB, on bool) (http.Handler, *auth.Tokens) {
	tokens := auth.NewTokens(secret.New("secret"), func() time.Time { return now })
	policy := &auth.Policy{On: on, Tokens: tokens}
	return via(New(httpapi.Options{Guard: policy.Guard}, Config{
		DB: database, Areas: 198, Location: time.UTC, Now: func() time.Time { return now },
	})), tokens
}

// people returns a database with the users.
func people(t *testing.T, names ...string) *dbtest.DB {
	t.Helper()
	database := &dbtest.DB{}
	for _, name := range names {
		_, err := database.Write(t.Context(), "", db.Write{Ops: []db.Op{{
			Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": "x"},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return database
}

// tokenOf returns a token of the account that has the name now.
func tokenOf(t *testing.T, database dbclient.DB, tokens *auth.Tokens, name string) string {
	t.Helper()
	result, err := database.Read(t.Context(), db.Read{Queries: []db.Query{{
		Table: "users", Where: []db.Condition{db.Where("username", db.Eq, name)},
	}}})
	if err != nil || len(result.Results[0].Rows) != 1 {
		t.Fatalf("%s: %v, %v", name, result, err)
	}
	token, _, err := tokens.Issue(account.Of(result.Results[0].Rows[0]))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func do(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// want checks the status and the body, of which a problem only has to contain it.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %.300s", w.Code, status, w.Body)
	}
	if status >= 400 {
		var p httpapi.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != status || !strings.Contains(p.Detail, body) {
			t.Errorf("want a problem with %q: %.300s", body, w.Body)
		}
		return
	}
	if got := strings.TrimSuffix(w.Body.String(), "\n"); got != body {
		t.Errorf("body %s, want %s", got, body)
	}
}

func ride(by, timestamp, source, destination string) string {
	return fmt.Sprintf(`{"created_by":%q,"timestamp":%q,"source":%s,"destination":%s}`, by, timestamp, source, destination)
}

func rider(name string) string { return fmt.Sprintf(`{"username":%q}`, name) }
