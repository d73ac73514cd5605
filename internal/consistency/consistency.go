// Package consistency carries positions of the database through a request: the one that the caller
// sent as its Consistency-Token, and the newest one that was seen while answering. It stands apart
// so that both the HTTP side and the database client can use it.
package consistency

import (
	"context"
	"sync/atomic"

	"rideshare/internal/db"
)

// Header is the header that carries a position between the caller and us, both ways.
const Header = "Consistency-Token"

// Newest remembers the newest position it was shown. Its zero value is ready; it may be used
// concurrently.
type Newest struct {
	position atomic.Pointer[db.Position]
}

// See remembers p if it is newer than what is remembered.
func (n *Newest) See(p db.Position) {
	for {
		old := n.position.Load()
		if old != nil && old.Covers(p) {
			return
		}
		if n.position.CompareAndSwap(old, &p) {
			return
		}
	}
}

// Get returns the newest position that was seen, the zero Position where there was none.
func (n *Newest) Get() db.Position {
	if p := n.position.Load(); p != nil {
		return *p
	}
	return db.Position{}
}

// Forget forgets p. A position that was seen since Get returned p stays.
func (n *Newest) Forget(p db.Position) {
	if old := n.position.Load(); old != nil && *old == p {
		n.position.CompareAndSwap(old, nil)
	}
}

// Request is what one request knows of positions.
type Request struct {
	token Newest
	seen  Newest
}

// NewRequest returns a Request whose caller sent the token, which is zero where it sent none.
func NewRequest(token db.Position) *Request {
	r := &Request{}
	r.token.See(token)
	return r
}

// Token returns what the caller sent.
func (r *Request) Token() db.Position { return r.token.Get() }

// RejectToken forgets the caller's token, because the log does not reach it: were it handed back,
// the caller would never get rid of it.
func (r *Request) RejectToken() { r.token.Forget(r.token.Get()) }

// See notes a position at which the request read or wrote.
func (r *Request) See(p db.Position) { r.seen.See(p) }

// Newest returns the newest position that the request knows, the caller's own included.
func (r *Request) Newest() db.Position { return Max(r.token.Get(), r.seen.Get()) }

// Max returns the newest of the positions.
func Max(ps ...db.Position) db.Position {
	var newest db.Position
	for _, p := range ps {
		if !newest.Covers(p) {
			newest = p
		}
	}
	return newest
}

type key struct{}

// NewContext returns a context that carries r.
func NewContext(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, key{}, r)
}

// FromContext returns the Request that ctx carries, or an empty one.
func FromContext(ctx context.Context) *Request {
	if r, ok := ctx.Value(key{}).(*Request); ok {
		return r
	}
	return &Request{}
}
