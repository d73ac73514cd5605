// Package disktest gives tests a disk that can be full: a small tmpfs of their own.
package disktest

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Disk is a small file system, mounted until the test ends.
type Disk struct {
	Dir  string // where it is mounted
	fill string
}

// New mounts a tmpfs of that many bytes. Where mounting is not permitted it skips the test, or fails
// it with CI=true.
func New(t testing.TB, size string) *Disk {
	t.Helper()
	dir := t.TempDir()
	switch err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); {
	case err == nil:
	case errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true":
		t.Skip("a test on a full disk mounts a tmpfs, which needs root: ", err)
	default:
		t.Fatal("cannot mount a tmpfs: ", err)
	}
	t.Cleanup(func() {
		// Detached, as a process that the test has killed may still be on its way out.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error("cannot unmount the tmpfs: ", err)
		}
	})
	return &Disk{Dir: dir, fill: filepath.Join(dir, "fill")}
}

// Fill writes a file that takes all the space that is left.
func (d *Disk) Fill(t testing.TB) {
	t.Helper()
	f, err := os.OpenFile(d.fill, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is only there to take space
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// Free removes that file.
func (d *Disk) Free(t testing.TB) {
	t.Helper()
	if err := os.Remove(d.fill); err != nil {
		t.Fatal(err)
	}
}
