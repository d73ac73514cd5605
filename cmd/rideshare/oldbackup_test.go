package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rideshare/client"
)

// TestRestoreOfTheFirstSchema: testdata has a backup that was made before accounts had ids. It can be
// restored, its content is compared, and each of its users gets an account.
func TestRestoreOfTheFirstSchema(t *testing.T) {
	file, err := filepath.Abs(filepath.Join("testdata", "schema1.backup")) // the system has a folder of its own
	if err != nil {
		t.Fatal(err)
	}
	s := system(t)
	restored := decode[restoreResult](s, "restore", file)
	if data, err := os.ReadFile(file); err != nil || restored.Rows != 7 || !strings.Contains(string(data), `"content":"`+restored.Content+`"`) {
		t.Errorf("%+v, %v", restored, err)
	}
	result, err := s.client().DBRead(t.Context(), client.ReadRequest{Queries: []client.Query{{Table: "users"}}, Consistency: "strong"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{"": true, nil: true}
	for _, row := range result.Results[0].Rows {
		if seen[row["account"]] || seen[row["generation"]] {
			t.Errorf("%v", row)
		}
		seen[row["account"]], seen[row["generation"]] = true, true
	}
	if len(seen) != 2+2*3 {
		t.Errorf("%d users", (len(seen)-2)/2)
	}
	// A backup that is made now is the same after a restore in every column.
	now := filepath.Join(t.TempDir(), "now.backup")
	before := decode[backupResult](s, "backup", now)
	if again := decode[restoreResult](s, "restore", now, "--force"); again.Content != before.Content || again.Content == restored.Content {
		t.Errorf("backup %+v, restored %+v", before, again)
	}
}
