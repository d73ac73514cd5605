package sqlite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// TestMissingFile: only Create makes a database where there is none.
func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrBadFile) {
		t.Errorf("a missing file: %v", err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) > 0 {
		t.Errorf("it created %v", files)
	}
}

// TestEmptyFileKeepsItsLog: SQLite deletes the write-ahead log of an empty file.
func TestEmptyFileKeepsItsLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	for name, content := range map[string]string{path: "", path + "-wal": "what is left"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrBadFile) {
		t.Errorf("an empty file: %v", err)
	}
	if left, err := os.ReadFile(path + "-wal"); string(left) != "what is left" {
		t.Errorf("its log afterwards: %q, %v", left, err)
	}
}

// filled returns an open store with a user in it, and its path.
func filled(t *testing.T) (store.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pair", "store.db")
	s, err := Open(t.Context(), path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := add(t.Context(), s, db.Op{Migrate: db.LatestMigration}, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := add(t.Context(), s, user("ann"), 2, nil); err != nil {
		t.Fatal(err)
	}
	return s, path
}

func user(name string) db.Op {
	return db.Op{Insert: "users", Values: map[string]any{"username": name, "password_hash": "none"}}
}

// add commits one op as the entry number seq. It calls before, which may be nil, before the commit.
func add(ctx context.Context, s store.Store, op db.Op, seq uint64, before func()) error {
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after Commit
	if _, err := tx.Execute(ctx, []db.Op{op}); err != nil {
		return err
	}
	if before != nil {
		before()
	}
	return tx.Commit(ctx, store.Bookkeeping{State: replog.State{Seq: seq}})
}

// writer calls a function instead of writing.
type writer func() error

func (w writer) Write(p []byte) (int, error) {
	if err := w(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// TestGone: nothing is committed to files that were deleted or moved, and what was committed before can
// still be copied, also by a store of which nothing was read yet.
func TestGone(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"the folder is deleted": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		"the folder is moved":   func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+"-moved") },
		"the file is deleted":   os.Remove,
		"a file is in place of the folder": func(path string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(path)), os.WriteFile(filepath.Dir(path), nil, 0o600))
		},
		"another file is there": func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.Remove(path)
			}
			if err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, path := filled(t)
			if err := s.Intact(); err != nil {
				t.Fatal(err)
			}
			err := add(t.Context(), s, user("bob"), 3, func() {
				if err := take(path); err != nil {
					t.Fatal(err)
				}
			})
			if !errors.Is(err, store.ErrGone) {
				t.Errorf("a commit: %v", err)
			}
			if err := s.Intact(); !errors.Is(err, store.ErrGone) {
				t.Errorf("afterwards: %v", err)
			}
			if _, err := s.Begin(t.Context()); !errors.Is(err, store.ErrGone) {
				t.Errorf("the next transaction: %v", err)
			}
			// A copy that breaks off, in one way or another, is not the last one.
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := s.Export(ctx, writer(func() error { cancel(); return nil })); err == nil {
				t.Error("a copy whose context has ended is complete")
			}
			if _, err := s.Export(t.Context(), writer(func() error { return io.ErrClosedPipe })); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("a copy to nobody: %v", err)
			}
			var snapshot bytes.Buffer
			state, err := s.Export(t.Context(), &snapshot)
			if err != nil || state.Seq != 2 {
				t.Fatalf("a snapshot at %d, %v", state.Seq, err)
			}
			if err := s.Import(t.Context(), bytes.NewReader(snapshot.Bytes())); !errors.Is(err, store.ErrGone) {
				t.Errorf("an import: %v", err)
			}
			copied, err := Open(t.Context(), filepath.Join(t.TempDir(), "copy.db"), Options{Create: true})
			if err != nil {
				t.Fatal(err)
			}
			defer copied.Close() //nolint:errcheck // it was read only
			if err := copied.Import(t.Context(), &snapshot); err != nil {
				t.Fatal(err)
			}
			want, _, err := s.Checksum(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, _, err := copied.Checksum(t.Context()); err != nil || got != want {
				t.Errorf("the copy is another one: %v", err)
			}
		})
	}
}

// TestGoneLog: what is committed is in the write-ahead log first.
func TestGoneLog(t *testing.T) {
	s, path := filled(t)
	err := add(t.Context(), s, user("bob"), 3, func() {
		if err := os.Remove(path + "-wal"); err != nil {
			t.Fatal(err)
		}
	})
	if !errors.Is(err, store.ErrGone) {
		t.Errorf("a commit: %v", err)
	}
}

// TestDamageFoundLater: damage that opening does not meet is reported as damage by whatever meets it.
func TestDamageFoundLater(t *testing.T) {
	s, path := filled(t)
	for i := range 2000 {
		if err := add(t.Context(), s, user(string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))), uint64(i+3), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Not the pages with the schema and the state, which come first, and not only pages of an index.
	for i := len(data) / 2; i < len(data)*3/4; i++ {
		data[i] = 0xff
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close() //nolint:errcheck // it was read only
	if _, err := again.Export(t.Context(), new(bytes.Buffer)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a snapshot of a damaged database: %v", err)
	}
}
