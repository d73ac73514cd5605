package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecodeJSON(t *testing.T) {
	for text, message := range map[string]string{
		`{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}`: "",
		`"\ud83d\ude95"`:                      "",
		`"\\ud800"`:                           "",
		`{"a":1,"A":2}`:                       "", // names are case-sensitive: the schema refuses A
		`{"a":1,"a":1}`:                       "the member /a appears more than once",
		`{"a":1,"\u0061":1}`:                  "the member /a appears more than once",
		`{"":1,"":2}`:                         "the member / appears more than once",
		`{"b":[0,{"a":{"c":null,"c":null}}]}`: "the member /b/1/a/c appears more than once",
		`"\ud800"`:                            "half of a pair is no character",
		`"\udc00\ud800"`:                      "half of a pair is no character",
		`"\ud800\ud800\udc00"`:                "half of a pair is no character",
		`[{"\udfff":1}]`:                      "half of a pair is no character",
		"\"\xff\"":                            "is not valid UTF-8",
		`{`:                                   "unexpected end of JSON input",
		`{} {}`:                               "after top-level value",
		`{"a":1,"a":2`:                        "unexpected end of JSON input",
		strings.Repeat("[", 10_001):           "exceeded max depth",
	} {
		var got any
		err := decodeJSON([]byte(text), &got)
		if message == "" && err == nil {
			continue
		}
		if message == "" || err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%.50s: %v, want %q", text, err, message)
		}
	}
}

// FuzzDecodeJSON: encoding/json accepts every body that is accepted, and the digest stays the same when
// encoding/json writes the value anew.
func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.50,"é\n\u2028"],"b":{"c":null}}`, `{"a":1,"a":2}`, `"\ud800"`, `[1e400,-0]`, `{"\u0000":"<&>"}`, `{"ﬁ":1,"\ud83d\ude95":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if err := decodeJSON(data, &v); err != nil {
			return
		}
		var exact any
		d := json.NewDecoder(strings.NewReader(string(data)))
		d.UseNumber()
		if err := d.Decode(&exact); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		again, err := json.Marshal(exact)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := digestOf(data), digestOf(again); a != b {
			t.Errorf("%q and %q have different digests", data, again)
		}
	})
}

func BenchmarkDecodeJSON(b *testing.B) {
	small := []byte(`{"created_by":"alice","timestamp":"25-12-2026:00-30-08","source":12,"destination":34}`)
	row := `{"insert":"users","values":{"username":"alice","password_hash":"` + strings.Repeat("x", 90) + `"}}`
	large := []byte(`{"ops":[` + row + strings.Repeat(","+row, 999) + `]}`)
	for name, body := range map[string][]byte{"small": small, "large": large} {
		b.Run(name+"/strict", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var v any
				if err := decodeJSON(body, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var v any
				if err := json.Unmarshal(body, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/digest", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				digestOf(body)
			}
		})
	}
}
