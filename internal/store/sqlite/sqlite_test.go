package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"rideshare/internal/store"
	"rideshare/internal/store/sqlstore"
	"rideshare/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func create(t testing.TB) storetest.Opener {
	path := filepath.Join(t.TempDir(), "store.db")
	return func(ctx context.Context) (store.Store, error) {
		return Open(ctx, path, Options{Create: true, Unsafe: true})
	}
}

func TestStore(t *testing.T) { storetest.Run(t, storetest.Features{BoundsLarge: true}, create) }

// TestCommittingDDL imitates a database whose DDL commits.
func TestCommittingDDL(t *testing.T) {
	d := dialect()
	d.DDLCommits = true
	d.Migrations = slices.Clone(d.Migrations)
	for i, changes := range d.Migrations {
		d.Migrations[i] = append([]sqlstore.Change{{Text: "COMMIT"}}, changes...)
	}
	storetest.RunMigrations(t, storetest.Features{DDLCommits: true}, func(t testing.TB) storetest.Opener {
		path := filepath.Join(t.TempDir(), "store.db")
		return func(ctx context.Context) (store.Store, error) {
			created, err := createFile(path)
			if err != nil {
				return nil, err
			}
			return open(ctx, path, Options{Unsafe: true}, d, created)
		}
	})
}

func FuzzImport(f *testing.F) { storetest.FuzzImport(f, create) }

func BenchmarkStore(b *testing.B) {
	b.Run("unsafe", func(b *testing.B) { storetest.Benchmark(b, create, nil) })
	b.Run("durable", func(b *testing.B) {
		storetest.Benchmark(b, func(b testing.TB) storetest.Opener {
			path := filepath.Join(b.TempDir(), "store.db")
			return func(ctx context.Context) (store.Store, error) { return Open(ctx, path, Options{Create: true}) }
		}, nil)
	})
}

// TestFile: modes, names that are hard to put in an address, and a file that is released.
func TestFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a b", "50%25?x=1#&ü")
	path := filepath.Join(folder, "store.db")
	s, err := Open(t.Context(), path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{folder: 0o700, path: 0o600, path + "-wal": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %o, not %o", name, info.Mode().Perm(), mode)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range files {
		if target, err := os.Readlink(fd); err == nil && filepath.Dir(target) == folder {
			t.Errorf("%s is still open", target)
		}
	}
}

func TestBadFiles(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.db")
	s, err := Open(t.Context(), whole, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, b byte) []byte {
		bad := append([]byte(nil), good...)
		bad[at] = b
		return bad
	}
	for name, content := range map[string][]byte{
		"text":              []byte("this is not a database, but it is long enough to have a header of one hundred bytes, as they have"),
		"short":             []byte("x"),
		"empty":             nil,
		"zeros":             make([]byte, len(good)),
		"another database":  changed(71, 0), // the last byte of application_id
		"cut":               good[:len(good)/2],
		"damaged header":    changed(0, 'X'),
		"other application": changed(68, 1), // the first byte of application_id
		"damaged schema":    changed(100, 0xff),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			// A database that existed is not begun anew, whatever is left of it.
			for _, o := range []Options{{}, {Create: true}} {
				if _, err := Open(t.Context(), path, o); !errors.Is(err, ErrBadFile) || !errors.Is(err, store.ErrDamaged) {
					t.Fatal(err)
				}
			}
			if after, _ := os.ReadFile(path); string(after) != string(content) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), filepath.Join(file, "store.db"), Options{}); err == nil {
		t.Fatal("opened below a file")
	}
}
