// Package atomicfile writes files that appear under their names only when they are complete and on
// disk. Until then the content is in a temporary file of its own in the same folder, which nobody
// but its owner can read.
package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrKind is returned for a name that something other than a regular file has. Renaming a file to
// such a name would remove a device, a pipe or a link.
var ErrKind = errors.New("not a regular file")

// Check returns nil if nothing has this name, or a regular file has it, which may be replaced. It
// returns ErrKind for anything else, which includes a symbolic link to a regular file.
func Check(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is %s, %w", path, kind(info.Mode()), ErrKind)
	}
	return nil
}

func kind(mode fs.FileMode) string {
	switch mode.Type() {
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeDir:
		return "a folder"
	case fs.ModeNamedPipe:
		return "a pipe"
	case fs.ModeSocket:
		return "a socket"
	default:
		return "a device"
	}
}

// pattern names the temporary files. It does not contain the name of the file, which may be as long
// as a name can be.
const pattern = "rideshare-*.partial"

// File is a file that is being written. Its methods must not be called concurrently.
type File struct {
	*os.File
	path string
	keep func() bool // stops the removal at the end of the context
}

// Create begins to write the file at path. Nothing has that name until Commit. The end of ctx
// removes the temporary file at once, even while a Write hangs. Callers must call Commit or Discard.
func Create(ctx context.Context, path string) (*File, error) {
	if err := Check(path); err != nil {
		return nil, err
	}
	// It is created exclusively, with mode 0600: what was left there passes nothing on.
	f, err := os.CreateTemp(filepath.Dir(path), pattern)
	if err != nil {
		return nil, err
	}
	keep := context.AfterFunc(ctx, func() { _ = os.Remove(f.Name()) }) // Commit fails
	return &File{File: f, path: path, keep: keep}, nil
}

// Commit gives the file its name when all of it is on disk. If replace is false and something has
// that name by now, it returns fs.ErrExist; if it may not be replaced, ErrKind. If the context of
// Create has ended, it returns context.Canceled. After an error the name is as it was before, unless
// only the folder could not be synchronised.
func (f *File) Commit(replace bool) error {
	defer f.Discard()
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if !f.keep() {
		return context.Canceled
	}
	// A link in between the check and the rename would be replaced, and what it points to would not.
	if err := Check(f.path); err != nil {
		return err
	}
	publish := link
	if replace {
		publish = os.Rename
	}
	if err := publish(f.Name(), f.path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(f.path))
}

// Discard removes the temporary file. After Commit it does nothing.
func (f *File) Discard() {
	f.keep()
	_ = f.Close()           // nothing counts that was written to it
	_ = os.Remove(f.Name()) // it may be gone
}

// link renames a file, and fails with fs.ErrExist if the new name is taken.
func link(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, errors.ErrUnsupported) {
		return err // Discard removes the other name
	}
	// The file system has no hard links. Another program can take the name between the two calls.
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// syncFolder makes a new name in a folder survive a loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is only read
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// Write writes a whole file, with this mode, and replaces one that is there.
func Write(path string, data []byte, mode fs.FileMode) error {
	f, err := Create(context.Background(), path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Commit(true)
}
