package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const brokers = "rabbitmq:5672"

func generated(t *testing.T, dir string) map[string]string {
	t.Helper()
	if err := generate(dir, brokers); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := e.Info(); err != nil || info.Mode() != 0o444 {
			t.Errorf("%s is %v, %v", e.Name(), info.Mode(), err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func TestGeneratedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	first := generated(t, dir)
	second := generated(t, dir)
	if len(first) < 10 || len(second) != len(first) {
		t.Errorf("%d files, then %d", len(first), len(second))
	}
	for name, text := range first {
		if second[name] != text || text == "" {
			t.Errorf("%s was %q, and is %q", name, text, second[name])
		}
	}
	if want := "amqp://worker:" + first["rabbitmq_worker"] + "@" + brokers + "/"; first["amqp_url_worker"] != want {
		t.Errorf("%q, want %q", first["amqp_url_worker"], want)
	}
}

// TestOthersAreKeptOut of the folder, if nothing but secrets is in it.
func TestOthersAreKeptOut(t *testing.T) {
	dir := t.TempDir()
	for _, mode := range []fs.FileMode{0o755, 0o711, 0o750} { // empty at first, then with secrets
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		generated(t, dir)
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	err := generate(foreign, brokers)
	if err == nil || !strings.Contains(err.Error(), "RIDESHARE_SECRETS") {
		t.Errorf("into a folder with something else: %v", err)
	}
	if info, err := os.Stat(foreign); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("that folder is %v, %v", info.Mode(), err)
	}
}

// TestLeftFiles: what an interrupted run has left passes on neither its content nor what it links to.
func TestLeftFiles(t *testing.T) {
	dir, victim := filepath.Join(t.TempDir(), "secrets"), filepath.Join(t.TempDir(), "victim")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(victim, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "token_key.new")
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	if err := generate(dir, brokers); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "kept" {
		t.Errorf("%q, %v", data, err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "token_key")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
