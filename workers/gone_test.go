package workers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/replog"
	logmemory "rideshare/internal/replog/memory"
	"rideshare/internal/store"
	"rideshare/internal/store/sqlite"
)

// onFilesIn keeps databases in folders of their own, so that they can be deleted.
func onFilesIn(dir string) opener {
	return func(ctx context.Context, database string) (store.Store, error) {
		return sqlite.Open(ctx, filepath.Join(dir, database, "store.db"), sqlite.Options{Create: true, Unsafe: true})
	}
}

// The files of all databases are deleted: no write is acknowledged until a worker whose files are there
// has copied what the others have open. Then nothing is lost.
func TestDeletedFilesTakeNoWrites(t *testing.T) {
	for name, idle := range map[string]bool{"the next write finds out": false, "nobody writes meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			bubbleOn(t, onFilesIn(dir), logmemory.Options{}, func(s *site) {
				old := []string{"w1", "w2", "w3"}
				s.found(old...)
				s.mustWrite("1", addUser("alice"))
				s.sameEverywhere()
				for _, id := range old {
					if err := os.RemoveAll(filepath.Join(dir, id)); err != nil {
						t.Fatal(err)
					}
				}
				var reply <-chan db.Reply
				if !idle {
					reply = s.send("2", addUser("bob"))
				}
				s.until("all say so", func() bool {
					return !slices.ContainsFunc(old, func(id string) bool {
						m := s.member(id)
						return m.State != cluster.Deleted || m.Role != cluster.Slave || !strings.Contains(m.Database, "deleted")
					})
				})
				if idle {
					reply = s.send("2", addUser("bob"))
				}
				time.Sleep(5 * time.Second)
				select {
				case r := <-reply:
					t.Fatalf("a write was answered: %+v", r)
				default:
				}
				s.start("w4", "w4")
				s.admit("w4")
				if r := <-reply; r.Write == nil {
					t.Fatalf("the write afterwards: %+v", r)
				}
				s.until("w4 says that it leads", func() bool { return s.leads("w4") })
				for _, id := range old {
					if err := s.stop(id); err != nil {
						t.Error(err)
					}
				}
				if users := s.users("w4"); !slices.Equal(users, []string{"alice", "bob"}) {
					t.Errorf("users %v", users)
				}
			})
		})
	}
}

// The files of one database are deleted: the others go on, and it is the last that anybody copies from.
func TestDeletedFilesOfOne(t *testing.T) {
	dir := t.TempDir()
	bubbleOn(t, onFilesIn(dir), logmemory.Options{}, func(s *site) {
		master := s.found("w1", "w2", "w3")
		if err := os.RemoveAll(filepath.Join(dir, master)); err != nil {
			t.Fatal(err)
		}
		s.mustWrite("1", addUser("alice"))
		s.until("the master says so", func() bool { return s.member(master).State == cluster.Deleted })
		s.start("w4", "w4")
		s.until("another one joins", func() bool { return s.member("w4").State == cluster.Serving })
		if err := s.stop(master); err != nil {
			t.Error(err)
		}
		s.sameEverywhere()
	})
}

// brokenStore is a store of which a part cannot be read: nobody can copy it.
type brokenStore struct{ store.Store }

// Export implements store.Store.
func (brokenStore) Export(_ context.Context, w io.Writer) (replog.State, error) {
	_, _ = io.WriteString(w, "a part") // what follows is the error
	return replog.State{}, fmt.Errorf("page 7: %w", store.ErrDamaged)
}

// What finds out that the database is damaged ends the worker, with that error. Who copies from it does not
// take the damage for its own.
func TestDamageEndsTheWorkerThatHasIt(t *testing.T) {
	open := inMemory()
	bubbleOn(t, func(ctx context.Context, database string) (store.Store, error) {
		s, err := open(ctx, database)
		if database == "broken" {
			s = brokenStore{s}
		}
		return s, err
	}, logmemory.Options{}, func(s *site) {
		s.start("w1", "broken")
		s.seed("w1")
		s.mustWrite("1", addUser("alice"))
		s.start("w2", "w2")
		if err := <-s.workers["w1"].done; !errors.Is(err, store.ErrDamaged) {
			t.Errorf("w1 ended: %v", err)
		}
		s.workers["w1"].done <- nil // it has been looked at
		s.admit("w2")
		s.until("w2 is still there", func() bool { return s.member("w2").State == cluster.Serving })
	})
}
