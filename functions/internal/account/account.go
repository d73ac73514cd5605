// Package account binds requests to the account that their token names. A token is good for an hour.
// Meanwhile the account may be deleted, another account may get its name, or a new generation may end
// its tokens. Only the database knows. The package therefore adds the question to the request's own
// database request, in the same transaction or snapshot: that takes no round trip, and nothing can
// change between the answer and the operation.
package account

import (
	"context"
	"errors"
	"strings"

	"rideshare/internal/auth"
	"rideshare/internal/db"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
)

// Columns are those of the users table that a token names.
func Columns() []string { return []string{"username", "account", "generation"} }

// Of returns the account of a row that has the Columns.
func Of(row db.Row) httpapi.Account {
	return httpapi.Account{Username: row.Text("username"), ID: row.Text("account"), Generation: row.Text("generation")}
}

// Bound returns a DB that refuses requests with a 401 when the account in their token does not have its
// name any more, or has ended the token. Requests that carry no token pass unchanged.
func Bound(database dbclient.DB) dbclient.DB { return bound{database} }

type bound struct{ dbclient.DB }

// current returns conditions that hold for one user if the token is still good, and else for none.
func current(a httpapi.Account) []db.Condition {
	return []db.Condition{
		db.Where("username", db.Eq, a.Username),
		db.Where("account", db.Eq, a.ID),
		db.Where("generation", db.Eq, a.Generation),
	}
}

// Write implements dbclient.DB. The check is the first op, so that it decides before another op can
// fail. Results and errors have the numbers of the caller's own ops.
func (b bound) Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error) {
	account, ok := httpapi.Subject(ctx)
	if !ok {
		return b.DB.Write(ctx, id, w)
	}
	check := db.Op{Check: "users", Where: current(account), Expect: db.Rows(1)}
	w.Ops = append([]db.Op{check}, w.Ops...)
	result, err := b.DB.Write(ctx, id, w)
	if id != "" && another(account, err) {
		result, err = b.DB.Write(ctx, id+"/"+account.Generation, w)
	}
	switch {
	case db.FailedOp(err, db.Expectation, 0):
		return db.WriteResult{}, auth.Refused()
	case err != nil:
		return db.WriteResult{}, renumbered(orUnavailable(err, "ops[0]"))
	}
	if len(result.Results) == len(w.Ops) { // not those of a stored answer of the previous version, without the check
		result.Results = result.Results[1:]
	}
	return result, nil
}

// another reports whether err may be the stored answer to another request with the same key: to one with
// a token that the account has ended since, or to one of the previous version, whose ops had no check
// before them and so had other numbers. Nothing was done then, and the request gets an answer of its own.
func another(a httpapi.Account, err error) bool {
	var e *db.Error
	return db.FailedOp(err, db.Expectation, 0) || a.ID == "" && errors.As(err, &e) && e.Op != nil
}

// renumbered returns err as it would be without the check before the ops.
func renumbered(err error) error {
	var e *db.Error
	if !errors.As(err, &e) || e.Op == nil {
		return err
	}
	moved, op := *e, *e.Op-1
	moved.Op = &op
	return &moved
}

// Read implements dbclient.DB. The last query asks for the account.
func (b bound) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	account, ok := httpapi.Subject(ctx)
	if !ok {
		result, err := b.DB.Read(ctx, r)
		return result, orUnavailable(err, "queries[")
	}
	n := len(r.Queries)
	r.Queries = append(r.Queries[:n:n], db.Query{Table: "users", Where: current(account), Count: true})
	result, err := b.DB.Read(ctx, r)
	if err == nil && *result.Results[n].Count == 0 && r.Consistency != db.Strong {
		// A replica that lags may not have the account yet.
		r.Consistency = db.Strong
		result, err = b.DB.Read(ctx, r)
	}
	switch {
	case err != nil:
		return db.ReadResult{}, orUnavailable(err, "queries[")
	case *result.Results[n].Count == 0:
		return db.ReadResult{}, auth.Refused()
	}
	result.Results = result.Results[:n]
	return result, nil
}

// orUnavailable returns Unavailable for the refusal of a worker that runs the previous version and does
// not know the columns: an upgrade is under way.
func orUnavailable(err error, field string) error {
	var e *db.Error
	if errors.As(err, &e) && e.Kind == db.Invalid && strings.HasPrefix(e.Field, field) {
		return db.Errorf(db.Unavailable, "the database is being upgraded")
	}
	return err
}
