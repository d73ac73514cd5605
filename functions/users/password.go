package users

import (
	"runtime"
	"strings"

	"rideshare/internal/auth"
	"rideshare/internal/httpapi"
)

// Passwords is what guards the work with passwords.
type Passwords struct {
	verifier, hasher *auth.Hasher // apart: however many sign up, others sign in
	signIns, signUps *auth.Limiter
}

// NewPasswords returns one for new hashes of that cost. Signing up takes half of the processors at most.
func NewPasswords(p auth.Params) *Passwords {
	return &Passwords{
		verifier: auth.NewHasher(p, 0), hasher: auth.NewHasher(p, max(1, min(runtime.GOMAXPROCS(0)/2, 4))),
		signIns: auth.NewLimiter(auth.LimiterConfig{}), signUps: auth.NewLimiter(auth.SignUps()),
	}
}

const digestLength = 40 // hex digits of a SHA-1

// digest checks that the password is a SHA-1 in hex, and returns it in lower case, which is the
// form that is hashed.
func digest(password string) (string, error) {
	notHex := func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }
	if len(password) != digestLength || strings.ContainsFunc(password, notHex) {
		return "", httpapi.BadRequest("password", "must be the SHA-1 of the password, as %d hex digits", digestLength)
	}
	return strings.ToLower(password), nil
}

// digestOfNothing is the SHA-1 of the empty password.
const digestOfNothing = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

// newDigest is digest for a password that is set: it must not be empty.
func newDigest(password string) (string, error) {
	lower, err := digest(password)
	if err == nil && lower == digestOfNothing {
		err = httpapi.BadRequest("password", "must not be the SHA-1 of an empty password")
	}
	return lower, err
}
