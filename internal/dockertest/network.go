package dockertest

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// Network makes a network, on which containers reach each other by name and alias. It ends with the
// test.
func Network(t testing.TB) string {
	t.Helper()
	return made(t, "network")
}

// Volume makes a volume, for Options.Mounts as Volume(t)+":/path". It ends with the test, and
// outlives the containers that use it, if they are started after it.
func Volume(t testing.TB) string {
	t.Helper()
	return made(t, "volume")
}

func made(t testing.TB, kind string) string {
	t.Helper()
	Require(t)
	name := fmt.Sprintf("dockertest-%s-%d-%d", kind, os.Getpid(), containers.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := docker(ctx, nil, kind, "create", "--label", label+"="+self().String(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { do(t, kind, "rm", name) })
	return name
}
