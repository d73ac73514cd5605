package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/textproto"

	"github.com/danielgtaylor/huma/v2"
)

const idempotencyKey = "Idempotency-Key"

// Idempotency is the Idempotency-Key header, to be embedded in the input of a write.
type Idempotency struct {
	Key string `header:"Idempotency-Key" pattern:"^[ -~]{1,255}$" patternDescription:"1 to 255 printable ASCII characters" doc:"The same key gives the same answer, for 24 hours: retry with it when an answer is lost. Another body under the same key is a 422" example:"5f0c1b9e-sign-up"`
}

// Resolve implements huma.Resolver. huma takes an empty header for none, but the caller who sends
// one expects a protection that it would not get.
func (i *Idempotency) Resolve(hc huma.Context) []error {
	var errs []error
	hc.EachHeader(func(name, value string) {
		if value == "" && textproto.CanonicalMIMEHeaderKey(name) == idempotencyKey {
			errs = append(errs, &huma.ErrorDetail{Location: "header." + idempotencyKey, Message: "must not be empty"})
		}
	})
	return errs
}

// ID returns the id under which the database gets the write, or "" where the caller gave no key.
// It is a hash of the operation with its path parameters, the account and the key, so that the keys
// of different operations and accounts never meet: not even those of two accounts that had the same
// name, one after the other.
func (i *Idempotency) ID(ctx context.Context, operation string, parameters ...string) string {
	if i.Key == "" {
		return ""
	}
	account, _ := Subject(ctx)
	h := sha256.New()
	for _, part := range append([]string{operation, scope(account), i.Key}, parameters...) {
		// With its length, so that no two lists of parts look the same.
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// scope returns what no other account has. No name has a slash in it. An account without an id keeps
// the scope that it had when the name was all there was.
func scope(a Account) string {
	if a.ID == "" {
		return a.Username
	}
	return a.Username + "/" + a.ID
}
