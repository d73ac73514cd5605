package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
)

// A test is a Go program, too.
func TestProgram(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	if err := run(into, []string{program}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(into, filepath.Base(program)+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, c := range *bom.Components {
		name, _, _ := strings.Cut(c.PackageURL, "@")
		found[name] = c.Version != ""
	}
	for _, want := range []string{"pkg:golang/stdlib", "pkg:golang/github.com/CycloneDX/cyclonedx-go"} {
		if !found[want] {
			t.Errorf("%s is not among %v", want, found)
		}
	}
}

func TestDebianPackages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "packages")
	if err := os.WriteFile(path, []byte("libc6 2.43-7\nlibcrypt1 1:4.5.2+20251210-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := debian(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []cdx.Component{
		library("libc6", "2.43-7", "pkg:deb/debian/libc6@"),
		library("libcrypt1", "1:4.5.2+20251210-1", "pkg:deb/debian/libcrypt1@"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(path, []byte("libc6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := debian(path); err == nil {
		t.Error("a line without a version was taken")
	}
}

func TestNoProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.TempDir(), []string{path}); err == nil {
		t.Error("a script was taken for a Go program")
	}
}
