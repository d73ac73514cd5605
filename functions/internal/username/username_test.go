package username

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for name, ok := range map[string]bool{
		"alice": true, "Ä": true, "a b": true, "…": true, "' OR 1=1 --": true, `"`: true, "a.b": true,
		"...": true, " ": true, "%2F": true, strings.Repeat("ü", 128): true,
		"": false, ".": false, "..": false, "a/b": false, "a\x00": false, "a\n": false, "\x7f": false,
		"\u0085": false, "\xff": false, strings.Repeat("ü", 129): false,
	} {
		if err := Check("username", name); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", name, err)
		}
	}
}
