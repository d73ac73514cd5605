// Package username is the rule for user names, which users and rides share.
package username

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"rideshare/internal/httpapi"
)

// MaxLength is the largest number of characters of a user name.
const MaxLength = 128

// CheckNew is Check for the name of a new user. It also refuses names that look like other names: names
// with spaces around them, with invisible characters (Unicode's category Cf), or not in normalization
// form NFC. Existing users may have such names, so other operations use Check.
func CheckNew(field, name string) error {
	if err := Check(field, name); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(name) != name:
		return httpapi.BadRequest(field, "must not begin or end with a space")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Cf, r) }):
		return httpapi.BadRequest(field, "must not contain invisible format characters, such as a zero-width joiner or a mark of direction")
	case !norm.NFC.IsNormalString(name):
		return httpapi.BadRequest(field, "must be in Unicode's normalization form NFC")
	}
	return nil
}

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
