// Package account binds what a request does to the account that its token names. A token is good for
// an hour, and meanwhile the account may be deleted, its name may be another's, or it may have ended
// its tokens by a change of its generation. Only the database knows. So the question goes along with
// what the request asks of the database anyway, in the same transaction or snapshot: it costs no round
// trip, and nothing can change between the answer and the deed.
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

// Bound returns database for the requests of users. What a request with a token asks of it is refused
// with a 401 where the token's account is not that of its name any more. Requests without one, and all
// where nobody is asked for a token, pass as they are.
func Bound(database dbclient.DB) dbclient.DB { return bound{database} }

type bound struct{ dbclient.DB }

// current matches the account if it is still that of the name, and has not ended the token.
func current(a httpapi.Account) []db.Condition {
	return []db.Condition{
		db.Where("username", db.Eq, a.Username),
		db.Where("account", db.Eq, a.ID),
		db.Where("generation", db.Eq, a.Generation),
	}
}

// Write implements dbclient.DB. The check is the first op, so that it decides before anything else can
// fail; the callers' own ops keep their numbers.
func (b bound) Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error) {
	account, ok := httpapi.Subject(ctx)
	if !ok {
		return b.DB.Write(ctx, id, w)
	}
	check := db.Op{Check: "users", Where: current(account), Expect: db.Rows(1)}
	w.Ops = append([]db.Op{check}, w.Ops...)
	result, err := b.DB.Write(ctx, id, w)
	if db.FailedOp(err, db.Expectation, 0) && id != "" {
		// This may be the stored answer to a token that the account has ended, with the same key. The
		// holder of a newer token gets an answer of its own.
		result, err = b.DB.Write(ctx, id+"/"+account.Generation, w)
	}
	switch {
	case db.FailedOp(err, db.Expectation, 0):
		return db.WriteResult{}, auth.Refused()
	case err != nil:
		return db.WriteResult{}, renumbered(orUnavailable(err, "ops[0]"))
	}
	result.Results = result.Results[1:]
	return result, nil
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

// Read implements dbclient.DB. The question for the account is the last query.
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

// orUnavailable turns the refusal of a worker that does not know the columns yet, because it runs the
// program before this one, into what it is: an upgrade under way.
func orUnavailable(err error, field string) error {
	var e *db.Error
	if errors.As(err, &e) && e.Kind == db.Invalid && strings.HasPrefix(e.Field, field) {
		return db.Errorf(db.Unavailable, "the database is being upgraded")
	}
	return err
}
