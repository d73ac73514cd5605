package account

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"rideshare/internal/db"
	"rideshare/internal/dbclient"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/httpapi"
)

// counted counts the round trips to a database.
type counted struct {
	dbtest.DB
	trips int
}

func (c *counted) Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error) {
	c.trips++
	return c.DB.Write(ctx, id, w)
}

func (c *counted) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	c.trips++
	return c.DB.Read(ctx, r)
}

// kit is a database, as it is and as requests with tokens see it.
type kit struct {
	*testing.T
	direct *counted
	bound  dbclient.DB
}

func newKit(t *testing.T) *kit {
	direct := &counted{}
	return &kit{t, direct, Bound(direct)}
}

func named(name string) []db.Condition { return []db.Condition{db.Where("username", db.Eq, name)} }

// write writes past the token.
func (k *kit) write(ops ...db.Op) {
	k.Helper()
	if _, err := k.direct.DB.Write(k.Context(), "", db.Write{Ops: ops}); err != nil {
		k.Fatal(err)
	}
}

// signUp returns the context of requests with a token of the new account.
func (k *kit) signUp(name string) context.Context {
	k.Helper()
	k.write(db.Op{Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": "x"}})
	return k.signIn(name)
}

func (k *kit) signIn(name string) context.Context {
	k.Helper()
	result, err := k.direct.DB.Read(k.Context(), db.Read{Queries: []db.Query{{Table: "users", Columns: Columns(), Where: named(name)}}})
	if err != nil {
		k.Fatal(err)
	}
	return httpapi.WithSubject(k.Context(), Of(result.Results[0].Rows[0]))
}

func (k *kit) remove(name string) { k.Helper(); k.write(db.Op{Delete: "users", Where: named(name)}) }

func ride(by string) db.Write {
	return db.Write{Ops: []db.Op{{Insert: "rides", Values: map[string]db.Value{
		"ride_id": db.Next("rides"), "created_by": by, "source": 1, "destination": 2, "departs_at": db.Now{},
	}}}}
}

func rides() db.Read { return db.Read{Queries: []db.Query{{Table: "rides", Count: true}}} }

// trips fails where fn takes another number of round trips.
func (k *kit) trips(want int, fn func()) {
	k.Helper()
	k.direct.trips = 0
	fn()
	if k.direct.trips != want {
		k.Errorf("%d round trips, not %d", k.direct.trips, want)
	}
}

func (k *kit) refused(err error) {
	k.Helper()
	var p *httpapi.Problem
	if !errors.As(err, &p) || p.Status != http.StatusUnauthorized {
		k.Errorf("want a 401, got %v", err)
	}
}

func TestGoodToken(t *testing.T) {
	k := newKit(t)
	ctx := k.signUp("alice")
	k.trips(1, func() {
		result, err := k.bound.Write(ctx, "", ride("alice"))
		if err != nil || len(result.Results) != 1 || db.Row(result.Results[0].Values).Int("ride_id") != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	})
	k.trips(1, func() {
		result, err := k.bound.Read(ctx, rides())
		if err != nil || len(result.Results) != 1 || *result.Results[0].Count != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	})
	k.trips(1, func() {
		_, err := k.bound.Write(ctx, "", ride("nobody"))
		if !db.FailedOp(err, db.ForeignKey, 0) {
			t.Errorf("the callers' ops have other numbers: %v", err)
		}
	})
}

func TestNobodyAsked(t *testing.T) {
	k := newKit(t)
	k.signUp("alice")
	k.trips(2, func() {
		if _, err := k.bound.Write(t.Context(), "", ride("alice")); err != nil {
			t.Error(err)
		}
		if result, err := k.bound.Read(t.Context(), rides()); err != nil || *result.Results[0].Count != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

func TestEndedTokens(t *testing.T) {
	clear := db.Op{Clear: true}
	for name, end := range map[string]func(k *kit){
		"deleted": func(k *kit) { k.remove("alice") },
		"another of the name": func(k *kit) {
			k.remove("alice")
			k.signUp("alice")
		},
		"cleared": func(k *kit) {
			k.write(clear)
			k.signUp("alice")
		},
		"another generation": func(k *kit) {
			k.write(db.Op{Update: "users", Set: map[string]db.Value{"generation": "g2"}, Where: named("alice")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			ctx := k.signUp("alice")
			end(k)
			_, err := k.bound.Write(ctx, "", ride("alice"))
			k.refused(err)
			_, err = k.bound.Write(ctx, "key", ride("alice"))
			k.refused(err)
			_, err = k.bound.Read(ctx, rides())
			k.refused(err)
			if result, err := k.direct.Read(t.Context(), rides()); err != nil || *result.Results[0].Count != 0 {
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
}

// The 401 that an ended token gets is stored under the key of the request. A user who signs in again and
// retries with that key must not get it for a day.
func TestKeyOfARefusedRequest(t *testing.T) {
	k := newKit(t)
	old := k.signUp("alice")
	k.write(db.Op{Update: "users", Set: map[string]db.Value{"generation": "g2"}, Where: named("alice")})
	_, err := k.bound.Write(old, "key", ride("alice"))
	k.refused(err)
	fresh := k.signIn("alice")
	for range 2 {
		result, err := k.bound.Write(fresh, "key", ride("alice"))
		if err != nil || db.Row(result.Results[0].Values).Int("ride_id") != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	}
	_, err = k.bound.Write(old, "key", ride("alice"))
	k.refused(err)
}

// An account from before accounts had ids has empty ones.
func TestOldAccount(t *testing.T) {
	k := newKit(t)
	k.write(db.Op{Insert: "users", Values: map[string]db.Value{"username": "alice", "password_hash": "x", "account": "", "generation": ""}})
	ctx := k.signIn("alice")
	if _, err := k.bound.Write(ctx, "", ride("alice")); err != nil {
		t.Error(err)
	}
	k.remove("alice")
	k.signUp("alice")
	_, err := k.bound.Write(ctx, "", ride("alice"))
	k.refused(err)
}

// The answers that the previous version has stored are those of writes without the check.
func TestStoredAnswersOfThePreviousVersion(t *testing.T) {
	k := newKit(t)
	k.write(db.Op{Insert: "users", Values: map[string]db.Value{"username": "alice", "password_hash": "x", "account": "", "generation": ""}})
	ctx := k.signIn("alice")
	if _, err := k.direct.DB.Write(t.Context(), "done", ride("alice")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		result, err := k.bound.Write(ctx, "done", ride("alice"))
		if err != nil || len(result.Results) != 1 || db.Row(result.Results[0].Values).Int("ride_id") != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	}
	none := db.Op{Delete: "riders", Where: []db.Condition{db.Where("ride_id", db.Eq, 1)}, Expect: db.Rows(1)}
	for id, w := range map[string]db.Write{"first": {Ops: []db.Op{none}}, "second": {Ops: []db.Op{ride("alice").Ops[0], none}}} {
		if _, err := k.direct.DB.Write(t.Context(), id, w); db.KindOf(err) != db.Expectation {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := k.bound.Write(ctx, id, w); !db.FailedOp(err, db.Expectation, len(w.Ops)-1) {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	if result, err := k.direct.Read(t.Context(), rides()); err != nil || *result.Results[0].Count != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}

// A replica that lags does not know a new account. That is no 401.
func TestReadFromAReplicaThatLags(t *testing.T) {
	k := newKit(t)
	ctx := k.signUp("alice")
	lags := Bound(&dbclient.Fake{ReadFunc: func(ctx context.Context, r db.Read) (db.ReadResult, error) {
		if r.Consistency == db.Strong {
			return k.direct.Read(ctx, r)
		}
		var empty dbtest.DB
		return empty.Read(ctx, r)
	}})
	k.write(ride("alice").Ops...)
	if result, err := lags.Read(ctx, rides()); err != nil || *result.Results[0].Count != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	k.remove("alice")
	_, err := lags.Read(ctx, rides())
	k.refused(err)
}

// While an upgrade is under way, workers of the previous version know nothing of accounts. No token passes
// unchecked, and no caller is told that the request is wrong.
func TestWorkersOfThePreviousVersion(t *testing.T) {
	k := newKit(t)
	ctx := k.signUp("alice")
	older := Bound(&dbclient.Fake{
		WriteFunc: func(context.Context, string, db.Write) (db.WriteResult, error) {
			return db.WriteResult{}, &db.Error{Kind: db.Invalid, Field: "ops[0].where[1].column", Message: "no such column"}
		},
		ReadFunc: func(_ context.Context, r db.Read) (db.ReadResult, error) {
			return db.ReadResult{}, &db.Error{Kind: db.Invalid, Field: "queries[1].where[1].column", Message: "no such column"}
		},
	})
	_, err := older.Write(ctx, "key", ride("alice"))
	if db.KindOf(err) != db.Unavailable {
		t.Error(err)
	}
	for _, ctx := range []context.Context{ctx, t.Context()} {
		if _, err := older.Read(ctx, rides()); db.KindOf(err) != db.Unavailable {
			t.Error(err)
		}
	}
}
