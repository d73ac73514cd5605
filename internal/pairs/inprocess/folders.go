package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// AsideDir is the folder in Config.Dir for data that cannot be read: one folder for each pair, with
	// the pair's id and the time in its name.
	AsideDir = "damaged"
	// newPrefix begins the name of the folder of a pair that is being created. It gets the pair's own
	// name when its database is on disk: so in a folder of that name there always was a database, and
	// one that is missing or empty was lost.
	newPrefix = "new-"
)

// number returns the number of a pair, 0 where that is no pair's id.
func number(id string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "p"))
	if err != nil || n < 1 || id != fmt.Sprintf("p%d", n) {
		return 0
	}
	return n
}

// scan finds the pairs, and the highest number that one has or had. It deletes what a Create that was
// cut short has left: no worker has ever had it.
func (p *Pairs) scan() error {
	folders, err := os.ReadDir(p.config.Dir)
	if err != nil {
		return err
	}
	for _, f := range folders {
		id, fresh := strings.CutPrefix(f.Name(), newPrefix)
		switch n := number(id); {
		case n == 0 || !f.IsDir():
		case fresh:
			if err := os.RemoveAll(filepath.Join(p.config.Dir, f.Name())); err != nil {
				return err
			}
		default:
			p.lastID = max(p.lastID, n)
			p.pairs[id] = p.newPair(id)
		}
	}
	aside, err := p.Aside(context.Background())
	for _, place := range aside {
		id, _, _ := strings.Cut(filepath.Base(place), "-")
		p.lastID = max(p.lastID, number(id))
	}
	return err
}

// makeFolder makes the folder of a new pair, with an empty database in it.
func (p *Pairs) makeFolder(ctx context.Context, pair *pair) error {
	fresh := filepath.Join(p.config.Dir, newPrefix+pair.id)
	db, err := p.config.Open(ctx, fresh, true)
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = syncFolder(fresh)
	}
	if err == nil {
		err = os.Rename(fresh, pair.dir)
	}
	if err == nil {
		err = syncFolder(p.config.Dir)
	}
	if err != nil {
		return fmt.Errorf("the database of %s: %w", pair.id, errors.Join(err, os.RemoveAll(fresh)))
	}
	return nil
}

// syncFolder waits until the names in a folder are on disk.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SetAside implements pairs.Pairs. The place is a folder in AsideDir. For data that was found missing
// it is an empty one: as long as it is there, everybody knows that there was a database.
func (p *Pairs) SetAside(ctx context.Context, id string) (place string, err error) {
	err = p.dispose(ctx, id, func(pair *pair) error {
		aside := filepath.Join(p.config.Dir, AsideDir)
		if err := os.MkdirAll(aside, 0o700); err != nil {
			return err
		}
		place = filepath.Join(aside, id+"-"+time.Now().UTC().Format("20060102T150405Z"))
		err := os.Rename(pair.dir, place)
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return err
		}
		if pair.unreadable == "" { // a copy of it serves elsewhere
			place = ""
			return nil
		}
		return os.Mkdir(place, 0o700)
	})
	if err != nil {
		return "", err
	}
	return place, nil
}

// Aside implements pairs.Pairs.
func (p *Pairs) Aside(context.Context) ([]string, error) {
	dir := filepath.Join(p.config.Dir, AsideDir)
	entries, err := os.ReadDir(dir) // sorted
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	var places []string
	for _, e := range entries {
		places = append(places, filepath.Join(dir, e.Name()))
	}
	return places, err
}
