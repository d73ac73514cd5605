package oneprocess

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"rideshare/internal/atomicfile"
)

// folder is the data folder: the lock that it is taken with, and the secrets in it. The databases are
// the pairs' own.
type folder struct {
	dir     string
	secrets secrets
	logger  *slog.Logger

	mu   sync.Mutex // guards what follows
	lock *os.File
}

// openFolder takes a data folder, which it creates where it is missing.
func openFolder(dir string, logger *slog.Logger) (*folder, error) {
	lock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	secrets, err := privateSecrets(dir, logger)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	return &folder{dir: dir, secrets: secrets, logger: logger, lock: lock}, nil
}

// privateSecrets loads the secrets, and takes the permissions of others away from what is private: a
// copy that was brought back, say, may have come with other permissions.
func privateSecrets(dir string, logger *slog.Logger) (secrets, error) {
	path := filepath.Join(dir, SecretsFile)
	opened, err := atomicfile.Privatize(path, filepath.Join(dir, "pairs"))
	if err != nil { // no reason to keep the system down
		logger.Warn("the data folder is not private", "why", err)
	}
	if len(opened) > 0 {
		logger.Warn("others could read files of the data folder, and no longer can: if one of them held secrets, delete "+
			path+" to have new ones", "files", opened)
	}
	return loadSecrets(dir)
}

// restore makes the folder anew where it was deleted or moved: with the lock, as another process may
// have taken the name, and with the secrets, so that everybody's tokens stay valid.
func (f *folder) restore() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	held, err := f.lock.Stat()
	if err != nil {
		return fmt.Errorf("the data folder: %w", err)
	}
	if there, err := os.Stat(f.lock.Name()); err == nil && os.SameFile(held, there) {
		return f.keepSecrets() // who deletes the folder may not have finished when it was made anew
	}
	lock, err := lock(f.dir)
	if err != nil {
		return err
	}
	if err := f.keepSecrets(); err != nil { // first: where it fails, the next call tries again
		return errors.Join(err, lock.Close())
	}
	f.logger.Error("the data folder was deleted or moved: it is made anew, from what the databases still have open", "folder", f.dir)
	_ = f.lock.Close() // of a file that nobody finds any more
	f.lock = lock
	return nil
}

// keepSecrets writes the secrets where they are missing.
func (f *folder) keepSecrets() error {
	path := filepath.Join(f.dir, SecretsFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return f.secrets.save(path)
}

// Close gives the folder back.
func (f *folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lock.Close()
}
