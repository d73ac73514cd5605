package atomicfile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rideshare/internal/atomicfile"
)

// names lists what is in a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// only checks that a folder holds one private file with this content.
func only(t *testing.T, path, want string) {
	t.Helper()
	if got := names(t, filepath.Dir(path)); len(got) != 1 || got[0] != filepath.Base(path) {
		t.Errorf("the folder holds %v", got)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != want {
		t.Errorf("%q, %v; want %q", content, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func create(t *testing.T, ctx context.Context, path, content string) *atomicfile.File {
	t.Helper()
	f, err := atomicfile.Create(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Discard)
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheNameAppearsWithCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := create(t, t.Context(), path, "one")
	if info, err := f.Stat(); err != nil || info.Mode() != 0o600 {
		t.Errorf("the temporary file: %v, %v", info, err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before Commit: %v", err)
	}
	if err := f.Commit(false); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	only(t, path, "one")
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := create(t, t.Context(), path, "new").Commit(false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("without replace: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "old" {
		t.Errorf("%q, %v", content, err)
	}
	if err := create(t, t.Context(), path, "new").Commit(true); err != nil {
		t.Fatal(err)
	}
	only(t, path, "new") // and the permissions of the old one are gone
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	create(t, t.Context(), filepath.Join(dir, "file"), "half").Discard()
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("%v is left", got)
	}
}

// The end of the context removes the temporary file also while nobody calls anything.
func TestTheEndOfTheContext(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	f := create(t, ctx, filepath.Join(dir, "file"), "half")
	cancel()
	if err := f.Commit(true); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("%v is left", got)
	}
}

// occupied makes something of each kind that must not be replaced, and returns the paths.
func occupied(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	listener, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for _, err := range []error{
		os.WriteFile(at("target"), []byte("kept"), 0o600), os.Mkdir(at("folder"), 0o700), syscall.Mkfifo(at("pipe"), 0o600),
		os.Symlink("target", at("link")), os.Symlink("nowhere", at("dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{
		"a folder": at("folder"), "a pipe": at("pipe"), "a socket": at("socket"), "a device": os.DevNull, "a symbolic link": at("link"),
		"a symbolic link ": at("dangling"),
	}
}

func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	for kind, path := range occupied(t) {
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = atomicfile.Create(t.Context(), path)
		if !errors.Is(err, atomicfile.ErrKind) || !strings.Contains(err.Error(), path+" is "+strings.TrimSpace(kind)) {
			t.Errorf("%s: %v", kind, err)
		}
		if err := atomicfile.Write(path, nil, 0o600); !errors.Is(err, atomicfile.ErrKind) {
			t.Errorf("%s: %v", kind, err)
		}
		if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s: %v, %v", kind, after, err)
		}
	}
	// A file that takes the name meanwhile is not replaced either.
	path := filepath.Join(t.TempDir(), "file")
	f := create(t, t.Context(), path, "new")
	if err := os.Symlink("elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(true); !errors.Is(err, atomicfile.ErrKind) {
		t.Errorf("%v", err)
	}
}

// The rest of an interrupted write passes nothing on: neither its permissions nor its link target.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	for name, err := range map[string]error{
		"victim": os.WriteFile(victim, []byte("kept"), 0o644),
		"link":   os.Symlink(victim, filepath.Join(dir, "file.partial")),
		"new":    os.WriteFile(filepath.Join(dir, "file.new"), nil, 0o666),
	} {
		if err != nil {
			t.Fatal(name, err)
		}
	}
	path := filepath.Join(dir, "file")
	if err := create(t, t.Context(), path, "secret").Commit(false); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if content, err := os.ReadFile(victim); err != nil || string(content) != "kept" {
		t.Errorf("%q, %v", content, err)
	}
}

// Of several that write one file at once, each is whole, and without replace one alone succeeds.
func TestAtOnce(t *testing.T) {
	for _, replace := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "file")
		var group sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			f := create(t, t.Context(), path, "")
			group.Go(func() {
				for range 1000 {
					_, err := fmt.Fprintln(f, i)
					errs[i] = errors.Join(errs[i], err)
				}
				errs[i] = errors.Join(errs[i], f.Commit(replace))
			})
		}
		group.Wait()
		done := 0
		for i, err := range errs {
			switch {
			case err == nil:
				done++
			case replace || !errors.Is(err, fs.ErrExist):
				t.Errorf("%d: %v", i, err)
			}
		}
		if !replace && done != 1 {
			t.Errorf("%d of them have the name", done)
		}
		content, err := os.ReadFile(path)
		if err != nil || len(content) != 2000 {
			t.Fatalf("%d bytes, %v", len(content), err)
		}
		only(t, path, strings.Repeat(string(content[:2]), 1000))
	}
}

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"one", "two"} {
		if err := atomicfile.Write(path, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(path); err != nil || string(content) != text {
			t.Errorf("%q, %v", content, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o444 {
		t.Errorf("%v, %v", info, err)
	}
	if err := atomicfile.Write(filepath.Join(t.TempDir(), "no", "file"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a folder that is not there: %v", err)
	}
}

func TestPrivatize(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	below := filepath.Join(dir, "below")
	open, group, private := filepath.Join(dir, "open"), filepath.Join(below, "group"), filepath.Join(dir, "private")
	for _, err := range []error{
		os.Mkdir(below, 0o755), os.WriteFile(open, nil, 0o644), os.WriteFile(group, nil, 0o640), os.WriteFile(private, nil, 0o600),
		os.WriteFile(outside, nil, 0o644), os.Symlink(outside, filepath.Join(dir, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	changed, err := atomicfile.Privatize(open, below, filepath.Join(dir, "missing"), filepath.Join(dir, "link"))
	if err != nil || len(changed) != 2 || changed[0] != open || changed[1] != group {
		t.Errorf("%v, %v", changed, err)
	}
	for path, want := range map[string]fs.FileMode{open: 0o600, group: 0o600, private: 0o600, outside: 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if changed, err := atomicfile.Privatize(dir); err != nil || len(changed) != 0 {
		t.Errorf("again: %v, %v", changed, err)
	}
}
