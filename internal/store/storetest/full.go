package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// Disk is the disk of a database.
type Disk struct {
	Open Opener
	Fill func() // leaves no room on it
	Free func() // gives the room back
}

// RunFull tests a database whose disk is full: it reads, it says what keeps it from writing, it loses
// nothing that it has committed, and it writes again when there is room.
func RunFull(t *testing.T, disk Disk) {
	f := newFixture(t, Features{}, func(testing.TB) Opener { return disk.Open })
	f.migrated("ann")
	var committed replog.State
	insert := func(n int) error {
		tx, err := f.Begin(f.ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // as the contract says
		large := db.Op{Insert: "users", Values: map[string]any{
			"username": time.Unix(int64(n), 0).UTC().Format(time.RFC3339), "password_hash": strings.Repeat("x", 200),
		}}
		if _, err := tx.Execute(f.ctx, checked(f, large)); err != nil {
			return err
		}
		b := f.next()
		b.Replies = []store.StoredReply{reply(large.Values["username"].(string), departure)}
		b.Replies[0].Body = make([]byte, 100_000)
		if err := tx.Commit(f.ctx, b); err != nil {
			return err
		}
		committed = b.State
		return nil
	}
	f.ok(insert(0))
	rows := func() (n int64) {
		result, err := f.Read(f.ctx, db.Read{Queries: []db.Query{{Table: "users", Count: true}}})
		f.ok(err)
		f.same("position", result.Position, committed.Position())
		return *result.Results[0].Count
	}

	disk.Fill()
	stored := int64(2)
	var err error
	for n := 1; err == nil && n < 1000; n++ { // what the database has in reserve lasts for a while
		if err = insert(n); err == nil {
			stored++
		}
	}
	if !errors.Is(err, store.ErrFull) {
		f.Fatalf("a write to a full disk, after %d that went through: %v", stored, err)
	}
	for range 3 {
		if err := insert(1000); !errors.Is(err, store.ErrFull) {
			f.Fatal("a further write to a full disk: ", err)
		}
		f.same("users", rows(), stored)
		state, err := f.State(f.ctx)
		f.ok(err)
		f.same("state", state, committed)
	}
	f.export()

	disk.Free()
	deadline, cancel := context.WithTimeout(f.ctx, 30*time.Second)
	defer cancel()
	for err = insert(2000); err != nil; err = insert(2000) {
		if !errors.Is(err, store.ErrFull) || deadline.Err() != nil {
			f.Fatal("a write when there is room again: ", err)
		}
	}
	f.same("users", rows(), stored+1)
	f.ok(f.Store.Close())
	f.reopen()
	f.same("users after opening again", rows(), stored+1)
}
