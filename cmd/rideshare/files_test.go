package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// contents returns the names and contents of what is in a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(data)
	}
	return found
}

// TestBackupReplacesOnlyRegularFiles: also with --force, nothing but a regular file.
func TestBackupReplacesOnlyRegularFiles(t *testing.T) {
	s := system(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("target"), []byte("kept"), 0o600), os.Mkdir(at("folder"), 0o700), syscall.Mkfifo(at("pipe"), 0o600),
		os.Symlink("target", at("link")), os.Symlink("nowhere", at("dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, kind := range map[string]string{
		at("folder"): "a folder", at("pipe"): "a pipe", at("link"): "a symbolic link", at("dangling"): "a symbolic link", os.DevNull: "a device",
	} {
		before, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"backup", name}, {"backup", "--force", name}} {
			r := s.run(args...)
			if r.code != exitFailed || !strings.Contains(r.err, name+" is "+kind+", not a regular file: ") || !strings.Contains(r.err, "'-'") {
				t.Errorf("%v: %+v", args, r)
			}
		}
		if after, err := os.Lstat(name); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is %v: %v", name, after, err)
		}
	}
	if data, err := os.ReadFile(at("target")); err != nil || string(data) != "kept" {
		t.Errorf("what the link points to: %q, %v", data, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 5 {
		t.Errorf("something is left: %v, %v", entries, err)
	}
	// A regular file is replaced, and its permissions do not pass on.
	if err := os.Chmod(at("target"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.ok("backup", "--force", at("target"))
	if info, err := os.Stat(at("target")); err != nil || info.Mode() != 0o600 || info.Size() < 100 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestStandardOutputAndInput moves a backup through pipes.
func TestStandardOutputAndInput(t *testing.T) {
	s := system(t)
	rows := s.fill(200)
	r := s.run("backup", "-", "-o", "json")
	if r.code != 0 || !strings.Contains(r.err, `"file": "standard output"`) || strings.Contains(r.out, `"seconds"`) {
		t.Fatalf("%d: %s", r.code, r.err)
	}
	file := filepath.Join(t.TempDir(), "b")
	s.ok("backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.stdin = strings.NewReader(r.out)
	if text := s.ok("restore", "-", "--force"); !strings.Contains(text, fmt.Sprintf("%d rows", rows)) {
		t.Error(text)
	}
	// Any pipe will do; and what is damaged changes nothing.
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	writing.Go(func() {
		if err := os.WriteFile(pipe, whole, 0); err != nil {
			t.Error(err)
		}
	})
	s.ok("restore", pipe, "--force")
	writing.Wait()
	for name, data := range map[string]string{"cut": r.out[:len(r.out)-100], "empty": "", "more": r.out + "\n"} {
		s.stdin = strings.NewReader(data)
		if r := s.run("restore", "-", "--force"); r.code != exitFailed || !strings.Contains(r.err, "standard input: backup: damaged") || !strings.Contains(r.err, "nothing was changed") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := s.run("restore", "/dev/zero", "--force"); r.code != exitFailed || !strings.Contains(r.err, "nothing was changed") {
		t.Errorf("an endless one: %+v", r)
	}
	if r := s.run("restore", file); r.code != exitFailed || !strings.Contains(r.err, "200 rides") {
		t.Errorf("after all that: %+v", r)
	}
}

// TestNoBackupOnATerminal: it holds password hashes.
func TestNoBackupOnATerminal(t *testing.T) {
	var out, err bytes.Buffer
	env := environment{out: &out, err: &err, in: strings.NewReader(""), inIsTerminal: true, outIsTerminal: true}
	for _, command := range []string{"backup", "restore"} {
		err.Reset()
		if code := run(t.Context(), env, []string{command, "-"}); code != exitUsage || !strings.Contains(err.String(), "is a terminal") || out.Len() > 0 {
			t.Errorf("%s: exit code %d, %s", command, code, err.String())
		}
	}
}

// TestBackupsAtOnce: each is whole, and without --force the name has the first one.
func TestBackupsAtOnce(t *testing.T) {
	s := system(t)
	rows := s.fill(500)
	for _, force := range []bool{false, true} {
		dir := t.TempDir()
		file := filepath.Join(dir, "b")
		args := []string{"backup", file}
		if force {
			s.ok(args...)
			args = append(args, "--force")
		}
		results := make([]result, 4)
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() { results[i] = s.run(args...) })
		}
		group.Wait()
		done := 0
		for _, r := range results {
			switch {
			case r.code == 0:
				done++
			case force || r.code != exitFailed || !strings.Contains(r.err, "is there already: --force replaces it"):
				t.Errorf("%+v", r)
			}
		}
		if !force && done != 1 {
			t.Errorf("%d of them say that they are the file", done)
		}
		if got := contents(t, dir); len(got) != 1 {
			t.Errorf("%d files are left", len(got))
		}
		if restored := decode[restoreResult](s, "restore", "--force", file); restored.Rows != rows {
			t.Errorf("%+v", restored)
		}
	}
}

// TestLeftPartialFiles: what is left of another backup passes nothing on.
func TestLeftPartialFiles(t *testing.T) {
	s := system(t)
	dir := t.TempDir()
	victim, file := filepath.Join(t.TempDir(), "victim"), filepath.Join(dir, "b")
	if err := errors.Join(os.WriteFile(victim, []byte("kept"), 0o644), os.Symlink(victim, file+".partial")); err != nil {
		t.Fatal(err)
	}
	s.ok("backup", file)
	if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "kept" {
		t.Errorf("%q, %v", data, err)
	}
}

// snapshots is a system that begins a snapshot, says so, and never ends it.
func snapshots(t *testing.T) (s *shell, begun chan struct{}) {
	t.Helper()
	t.Chdir(t.TempDir())
	begun = make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"format":"rideshare-backup","version":1,"schema":1,"position":"3.1","taken_at":"2026-11-22T10:00:00Z"}`+"\n")
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return &shell{TB: t, url: server.URL}, begun
}

// TestInterruptedBackup: nothing is left, what was there is still there, and it says only that.
func TestInterruptedBackup(t *testing.T) {
	s, begun := snapshots(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "b")
	if err := os.WriteFile(file, []byte("good"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"backup", "--force", file}, {"backup", filepath.Join(dir, "new")}, {"backup", "-"}} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan result, 1)
		go func() { ended <- s.runContext(ctx, args...) }()
		<-begun
		if args[1] != standard && len(contents(t, dir)) != 2 {
			t.Errorf("%v: while it is written the folder holds %v", args, contents(t, dir))
		}
		cancel()
		if r := <-ended; r.code != exitInterrupted || r.err != "rideshare: interrupted\n" {
			t.Errorf("%v: %+v", args, r)
		}
		if got := contents(t, dir); len(got) != 1 || got["b"] != "good" {
			t.Errorf("%v: the folder holds %v", args, got)
		}
	}
}

// TestInterruptedStandardInput: a pipe that nobody writes to does not keep the command from ending.
func TestInterruptedStandardInput(t *testing.T) {
	s := answering(t, nil)
	in, out := io.Pipe()
	t.Cleanup(func() { _ = out.Close() }) // ends what still reads
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s.stdin = in
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{standard, pipe} {
		if r := s.runContext(ctx, "restore", name); r.code != exitInterrupted || r.err != "rideshare: interrupted; nothing was changed\n" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// A command that waits to open the pipe must end, too.
	opened, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = opened.Close()
}

// TestFullDisk: the error is the disk's, and the good file stays.
func TestFullDisk(t *testing.T) {
	s := system(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no /dev/full here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() //nolint:errcheck // nothing can be written to it
	var told bytes.Buffer
	env := environment{out: full, err: &told, vars: append([]string{"RIDESHARE_URL=" + s.url}, s.vars...)}
	if code := run(t.Context(), env, []string{"backup", "-"}); code != exitFailed || !strings.Contains(told.String(), "no space left on device") {
		t.Errorf("exit code %d: %s", code, told.String())
	}
}

// TestInterruptedLoad: what was cut off is no failure, and its user and rides go all the same.
func TestInterruptedLoad(t *testing.T) {
	s := system(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan result, 1)
	go func() { ended <- s.runContext(ctx, "load", "--rides", "1000000") }()
	s.eventually("rides are offered", func() bool {
		rides, err := s.client().CountRides(t.Context())
		return err == nil && rides[0] > 10
	})
	cancel()
	r := <-ended
	if r.code != exitInterrupted || r.err != "rideshare: interrupted\n" || !strings.Contains(r.out, "rides in") {
		t.Errorf("%+v", r)
	}
	if rides, err := s.client().CountRides(t.Context()); err != nil || rides[0] != 0 {
		t.Errorf("%v rides are left: %v", rides, err)
	}
}
