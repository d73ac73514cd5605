package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Privatize takes the permissions of others away from these files, and from the regular files in
// these folders and below them. It returns the names of the files that others had permissions for.
// It does not follow links, and passes over what does not exist. The error names every file whose
// permissions could not be changed, as where the file system has none.
func Privatize(paths ...string) (changed []string, err error) {
	var faults []error
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
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
				faults = append(faults, fmt.Errorf("others can read %s, and that cannot be changed: %w", path, err))
				return nil
			}
			changed = append(changed, path)
			return nil
		})
		if err != nil {
			faults = append(faults, err)
		}
	}
	return changed, errors.Join(faults...)
}
