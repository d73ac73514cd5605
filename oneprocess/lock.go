package oneprocess

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock takes a data folder for this process: two of them on one folder would be two clusters on
// the same databases. The lock goes with the process, however it ends.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("RIDESHARE_DATA is %q: it must be a folder that this program may write to: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("RIDESHARE_DATA is %q: it must be a folder that this program may write to: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by another process: end it, or set RIDESHARE_DATA to another folder", dir)
	}
	return f, nil
}
