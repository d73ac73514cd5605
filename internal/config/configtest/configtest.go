// Package configtest keeps docs/configuration.md equal to the structs that programs are configured
// by.
package configtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rideshare/internal/config"
)

// Update is the variable that lets tests write the page instead of comparing it: `make docs` sets it.
const Update = "RIDESHARE_UPDATE_DOCS"

// Documented checks that every variable of a T has a doc tag, and that the section of that name in
// docs/configuration.md is the table of a T.
func Documented[T any](t *testing.T, section string) {
	t.Helper()
	variables := config.Describe[T]()
	for _, v := range variables {
		if v.Doc == "" {
			t.Errorf("%s has no doc tag", v.Name)
		}
	}
	path := filepath.Join(root(t), "docs", "configuration.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin "+section+" -->\n", "<!-- end "+section+" -->\n"
	before, rest, begins := strings.Cut(string(data), begin)
	table, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("docs/configuration.md has no section between %q and %q", begin, end)
	}
	want := config.Markdown(variables)
	switch {
	case table == want:
	case os.Getenv(Update) == "":
		t.Errorf("docs/configuration.md is not what the program reads: run 'make docs'. %s reads\n%s", section, want)
	default:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// root returns the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

// Fault is a value that a variable must not have, and words of the error that says so.
type Fault struct{ Name, Value, Says string }

// Refused checks that a T can be loaded from an environment, and not with any of the faults. The error
// of each must name the variable, and quote the value unless Says tells that it is not shown.
func Refused[T any](t *testing.T, environ []string, faults []Fault) {
	t.Helper()
	if _, err := config.Load[T](environ); err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		_, err := config.Load[T](append(slices.Clone(environ), f.Name+"="+f.Value))
		want := []string{f.Name, f.Says}
		hidden := strings.Contains(f.Says, "not shown") || strings.Contains(f.Says, "not set")
		if !hidden {
			want = append(want, f.Value)
		}
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s=%q: error %v, want one with %q", f.Name, f.Value, err, text)
			}
		}
		if hidden && f.Value != "" && strings.Contains(err.Error(), f.Value) {
			t.Errorf("%s: the error holds the secret: %v", f.Name, err)
		}
	}
}
