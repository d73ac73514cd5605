package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"rideshare/internal/disktest"
	"rideshare/internal/store"
	"rideshare/internal/store/storetest"
)

func TestFullDisk(t *testing.T) {
	disk := disktest.New(t, "4m")
	storetest.RunFull(t, storetest.Disk{
		Open: func(ctx context.Context) (store.Store, error) {
			return Open(ctx, filepath.Join(disk.Dir, "store.db"), Options{Create: true})
		},
		Fill: func() { disk.Fill(t) },
		Free: func() { disk.Free(t) },
	})
}

// TestNoMorePages: a file that may not grow, so that a statement fails, where a full disk fails the
// commit.
func TestNoMorePages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(t.Context(), path, Options{Unsafe: true, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d := dialect()
	d.BeginWrite = "PRAGMA max_page_count = 1; " + d.BeginWrite // no less than it has
	s, err = open(t.Context(), path, Options{Unsafe: true}, d, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the test is over
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // as above
	replies := []store.StoredReply{{ID: "a", Body: make([]byte, 100_000)}}
	if err := tx.Commit(t.Context(), store.Bookkeeping{Replies: replies}); !errors.Is(err, store.ErrFull) {
		t.Errorf("a commit that needs more pages: %v", err)
	}
	if state, err := s.State(t.Context()); err != nil {
		t.Errorf("afterwards: %v, %v", state, err)
	}
}

// TestOpenOnAFullDisk: nothing is there to write on.
func TestOpenOnAFullDisk(t *testing.T) {
	disk := disktest.New(t, "256k")
	disk.Fill(t)
	path := filepath.Join(disk.Dir, "p1", "store.db")
	if _, err := Open(t.Context(), path, Options{Create: true}); !errors.Is(err, store.ErrFull) {
		t.Errorf("opened on a full disk: %v", err)
	}
	disk.Free(t)
	s, err := Open(t.Context(), path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOfTheFileSystem(t *testing.T) {
	for err, full := range map[error]bool{
		syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EIO: false, syscall.EROFS: false, context.Canceled: false,
	} {
		if got := isFull(t.TempDir(), fmt.Errorf("write: %w", err)); got != full {
			t.Errorf("%v: %v", err, got)
		}
	}
}
