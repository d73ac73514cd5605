package dbclient

import (
	"context"

	"rideshare/internal/db"
)

// DB executes database requests. Its methods may be called concurrently. Errors that are the
// database's answer are *db.Error.
type DB interface {
	// Write executes w as one transaction. The id makes it idempotent: the same id gives the same
	// answer, good or bad, for 24 hours, and w is executed at most once; the empty id means that
	// the call is not to be repeated from outside. The HTTP request that ctx belongs to says whether the
	// request is the same (httpapi.Digest), since w may differ from try to try; another request under
	// the id is KeyReused. Until the deadline of ctx it is retried; then
	// the error is Unknown where it may have been executed, else Unavailable.
	Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error)
	// Read executes r. Unless r is Strong, the state it sees covers every write that this DB has
	// answered, and the Consistency-Token of the request that ctx belongs to. A token that the log
	// does not reach is BadPosition. Until the deadline of ctx it is retried; then the error is
	// Unavailable.
	Read(ctx context.Context, r db.Read) (db.ReadResult, error)
}

// Fake is a DB of functions, for tests.
type Fake struct {
	WriteFunc func(ctx context.Context, id string, w db.Write) (db.WriteResult, error)
	ReadFunc  func(ctx context.Context, r db.Read) (db.ReadResult, error)
}

var _ DB = (*Fake)(nil)

// Write implements DB.
func (f *Fake) Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error) {
	return f.WriteFunc(ctx, id, w)
}

// Read implements DB.
func (f *Fake) Read(ctx context.Context, r db.Read) (db.ReadResult, error) { return f.ReadFunc(ctx, r) }
