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

func TestCheckNew(t *testing.T) {
	for name, rule := range map[string]string{
		"alice": "", "a b": "", "Ä": "", "é": "", "乗車": "", "שלום": "", "🇩🇪": "", "👩🏽": "", "...": "", "\ufffd": "",
		"a\u00a0b": "", "ﬁ": "", // NFC keeps what NFKC would replace
		"аlice": "", // with a Cyrillic а: names that only look alike are not refused
		" ":     "space", " alice": "space", "alice ": "space", "\u00a0alice": "space", "alice\u3000": "space", "\u2028a": "space", "a\u2009": "space",
		"a\u200bb": "format", "a\u200db": "format", "a\u200c": "format", "\u200ea": "format", "a\u202eb": "format", "a\u2066b": "format",
		"a\u00adb": "format", "\ufeffa": "format", "a\u2060": "format", "a\U000e0061": "format", "👩\u200d🚀": "format",
		"e\u0301": "NFC", "A\u030a": "NFC", "\u212b": "NFC", "\u1112\u1161\u11ab": "NFC", "q\u0307\u0323": "NFC",
		"": "empty", "..": "URL", "a/b": "'/'", "a\n": "control",
	} {
		err := CheckNew("username", name)
		if rule == "" && err == nil {
			continue
		}
		if rule == "" || err == nil || !strings.Contains(err.Error(), rule) || !strings.Contains(err.Error(), "username: ") {
			t.Errorf("CheckNew(%q) = %v, want %q", name, err, rule)
		}
	}
}
