package httpapi

import (
	"slices"
	"strings"
	"testing"
)

func TestParseOrigins(t *testing.T) {
	for list, want := range map[string][]string{
		"":                    nil,
		"  ":                  nil,
		"https://app.example": {"https://app.example"},
		"https://app.example, http://localhost:3000":         {"https://app.example", "http://localhost:3000"},
		"http://127.0.0.1:8080,http://[::1]:8080":            {"http://127.0.0.1:8080", "http://[::1]:8080"},
		"https://xn--bcher-kva.example,http://[2001:db8::1]": {"https://xn--bcher-kva.example", "http://[2001:db8::1]"},
		"https://app.example:80,http://app.example:443":      {"https://app.example:80", "http://app.example:443"},
	} {
		if got, err := ParseOrigins(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", list, got, err)
		}
	}
	for _, bad := range []string{
		"*", "null", "app.example", "//app.example", "https://", "https:app.example", "ftp://app.example", "file://", "chrome-extension://abc",
		"https://*.example", "https://app.example/", "https://app.example/app", "https://app.example?x", "https://app.example#x",
		"https://a@app.example", "HTTPS://app.example", "https://App.example", "https://bücher.example", "https://app.example.",
		"https://app.example:443", "http://app.example:80", "https://app.example:", "https://app.example:0", "https://app.example:65536",
		"https://app.example:08080", "https://app.example:http", "https://app example", "http://[::1", "http://::1",
		"https://app.example,", ",", "https://app.example,,https://b.example", "https://app.example https://b.example", "https://app.example;https://b.example",
	} {
		got, err := ParseOrigins("https://good.example," + bad)
		if err == nil || !strings.Contains(err.Error(), "for example https://app.example") {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}
