package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUpdate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("# Page\n\nText.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	table := Table{Columns: []string{"what", "median"}}
	table.Add("a kill", 123456*time.Microsecond)
	for _, name := range []string{"one", "two", "one"} {
		if err := Update(file, name, "make "+name, table); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	if !strings.HasPrefix(page, "# Page\n\nText.\n\n<!-- begin one -->\n") || !strings.HasSuffix(page, "<!-- end two -->\n") {
		t.Errorf("the page is\n%s", page)
	}
	for _, part := range []string{"`make one`", "`make two`", "<!-- begin one -->", "<!-- end one -->"} {
		if strings.Count(page, part) != 1 {
			t.Errorf("%s stands %d times in\n%s", part, strings.Count(page, part), page)
		}
	}
	if want := "| what | median |\n|---|---|\n| a kill | 123ms |\n"; strings.Count(page, want) != 2 {
		t.Errorf("%q stands %d times in\n%s", want, strings.Count(page, want), page)
	}
}
