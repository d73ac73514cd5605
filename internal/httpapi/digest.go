package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

// DigestHeader carries, from a function to the orchestrator, the Digest of the request that a write
// comes from. The operation that reads it requires the service token.
const DigestHeader = "Request-Digest"

// Digested is the DigestHeader, to be embedded in the input of an operation that functions use on
// behalf of their callers.
type Digested struct {
	Forwarded string `header:"Request-Digest" pattern:"^[A-Za-z0-9_-]{1,64}$" patternDescription:"URL-safe base64" hidden:"true" doc:"Digest of the request that the write comes from"`
}

// Digest returns the digest that came with the request, else that of its own body.
func (d *Digested) Digest(ctx context.Context) string {
	if d.Forwarded != "" {
		return d.Forwarded
	}
	return Digest(ctx)
}

type bodyKey struct{}

// withBody returns a context for a request with this body, for Digest.
func withBody(ctx context.Context, body []byte) context.Context {
	return context.WithValue(ctx, bodyKey{}, body)
}

// Digest returns a digest of the body of the request that ctx belongs to, as its caller sent it, or
// "" where ctx belongs to none. Two bodies have one digest if they are the same JSON value: white
// space, the order of members and the escapes in strings do not count, the spelling of a number
// does. Anything but JSON counts byte by byte.
//
// The digest distinguishes a retry under an Idempotency-Key from another request. The operation, its
// path and the user are not part of it: they are part of Idempotency.ID.
func Digest(ctx context.Context) string {
	body, ok := ctx.Value(bodyKey{}).([]byte)
	if !ok {
		return ""
	}
	value := jsontext.Value(bytes.Clone(body))
	// The canonical form would round numbers to a float64's, so that two of them look the same.
	if value.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)) == nil {
		body = value
	}
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:16]) // enough: only a caller's own requests are compared
}
