package sqlstore

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzRow: what appendRow writes is one line of JSON, and parseRow reads the same values from it.
func FuzzRow(f *testing.F) {
	f.Add("ann", int64(0), []byte("body"))
	f.Add("\x00\x1f\x7f\"\\/<&>\u2028😀\n", int64(math.MinInt64), []byte{})
	f.Add("", int64(math.MaxInt64), []byte{0, 255})
	f.Fuzz(func(t *testing.T, s string, n int64, body []byte) {
		if !utf8.ValidString(s) {
			t.Skip("not text")
		}
		line := appendRow(nil, []any{&s, &n, &body})
		if !json.Valid(line) || strings.Count(string(line), "\n") != 1 {
			t.Fatalf("%q is not one line of JSON", line)
		}
		got, err := parseRow(line, &replies)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]any{s, n, append([]byte{}, body...)}, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestFormat holds the format: replicas of two releases have to agree on every byte.
func TestFormat(t *testing.T) {
	s, n, b := "é\t\"\\\u2028", int64(-5), []byte("x")
	got := string(tableLine(&sequences)) + string(appendRow(nil, []any{&s, &n, &b})) + string(trailerLine(3, []byte{1, 0xab}))
	want := `{"table":"replica_sequences","columns":["name","value"]}` + "\n" +
		`["é\u0009\"\\` + "\u2028" + `",-5,"eA=="]` + "\n" +
		`{"rows":3,"sha256":"01ab"}` + "\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
