// Package username is the rule for user names, which users and rides share.
package username

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rideshare/internal/httpapi"
)

// MaxLength is the largest number of characters of a user name.
const MaxLength = 128

// Check returns nil for a good user name, else a 400 that names the field.
func Check(field, name string) error {
	switch {
	case name == "":
		return httpapi.BadRequest(field, "must not be empty")
	case !utf8.ValidString(name):
		return httpapi.BadRequest(field, "must be valid UTF-8")
	case utf8.RuneCountInString(name) > MaxLength:
		return httpapi.BadRequest(field, "must have at most %d characters", MaxLength)
	case strings.ContainsFunc(name, unicode.IsControl):
		return httpapi.BadRequest(field, "must not contain control characters")
	case strings.Contains(name, "/"):
		return httpapi.BadRequest(field, "must not contain '/'")
	case name == "." || name == "..":
		// However they are encoded, browsers and proxies take them out of a path: such a user
		// could never be deleted.
		return httpapi.BadRequest(field, "must not be . or .., which no URL can carry")
	}
	return nil
}
