// Package dockertest runs real services in containers for tests: start, kill, stop, pause, each
// published on a port of this machine that stays the same over restarts. It drives the docker
// command and needs no library.
//
//	func TestSomething(t *testing.T) {
//		db := dockertest.MySQL(t) // skips where no Docker engine answers; fails there when CI=true
//		open(db.DSN())
//		db.Kill(t)
//		db.Start(t)
//		db.Await(t)
//	}
//
// The images come from deploy/images/ensure: present, else pulled, else built. Everything that a
// test starts carries a label with its process, is removed when the test ends, and otherwise, when
// the process was killed, by the next test that uses this package.
package dockertest

import (
	"context"
	"os"
	"sync"
	"testing"
)

// Require goes on where a Docker engine answers. Elsewhere it skips the test and says why, or fails
// it when CI=true: there the tests must run.
func Require(t testing.TB) {
	t.Helper()
	reason := engine()
	switch {
	case reason == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("CI=true, but no Docker engine answers: %v", reason)
	default:
		t.Skipf("no Docker engine answers: %v", reason)
	}
}

// engine says, once per test binary, what is wrong with the engine, and takes away what earlier runs
// left behind.
var engine = sync.OnceValue(func() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := docker(ctx, nil, "version", "--format", "{{.Server.Version}}"); err != nil {
		return err
	}
	removeLeftovers(ctx)
	return nil
})
