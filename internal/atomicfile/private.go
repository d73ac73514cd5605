package atomicfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Privatize takes the permissions of others away from the regular files in a folder and in the
// folders below it, and returns the names of those files. It does not follow links.
func Privatize(dir string) (changed []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm()
		if mode&0o077 == 0 {
			return nil
		}
		if err := os.Chmod(path, mode&^0o077); err != nil {
			return fmt.Errorf("others can read %s, and that cannot be changed: %w", path, err)
		}
		changed = append(changed, path)
		return nil
	})
	return changed, err
}
