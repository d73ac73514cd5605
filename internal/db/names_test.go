package db

import "testing"

func TestOddName(t *testing.T) {
	for text, want := range map[string]string{
		`{"ops":[{"insert":"users","values":{"username":"A\"B: {","ride_id":{"$next":"rides"}}}]}`: "",
		`{"OPS":[]}`:                                 "OPS",
		`{"ops":[{"Insert":"users"}]}`:               "Insert",
		"{\"ops\" \t\r\n :[], \"oPs\"\n:1}":          "oPs",
		`{"\u006fps":[]}`:                            `\u006fps`,
		"{\"op\u017f\":[]}":                          "op\u017f", // folds to "ops"
		`{"value":"X:","in":["A","B\\"],"x":"\\\""}`: "",
		`"A"`: "",
	} {
		if got := oddName([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
