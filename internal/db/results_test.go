package db

import (
	"encoding/json"
	"testing"
)

// A reply without results is passed on as JSON, too.
func TestResultsEncode(t *testing.T) {
	passed, err := DecodePassed([]byte(`{"write":{"position":"2.3"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var r WriteResult
	if err := json.Unmarshal(passed.Write.Encode(), &r); err != nil || r.Position != passed.Write.Position {
		t.Errorf("%s: %v", passed.Write.Encode(), err)
	}
}
