package users

import (
	"strings"

	"rideshare/internal/httpapi"
)

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
