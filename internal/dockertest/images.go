package dockertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// buildTime is how long pulling or building an image may take.
const buildTime = 15 * time.Minute

// images remembers, per service, the image that was made sure of in this test binary.
var images sync.Map // of service to func() (string, error)

// Image returns the name of a service's image, which is on this machine then. The script locks, so
// that test binaries that run at once do not build the same image.
func Image(t testing.TB, service string) string {
	t.Helper()
	once, _ := images.LoadOrStore(service, sync.OnceValues(func() (string, error) { return ensure(t, service) }))
	name, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func ensure(t testing.TB, service string) (string, error) {
	script, err := findScript()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, script, service).CombinedOutput()
	t.Logf("deploy/images/ensure %s:\n%s", service, bytes.TrimSpace(out))
	if err != nil {
		return "", fmt.Errorf("dockertest: no image of %s: %w:\n%s", service, err, out)
	}
	name, err := exec.CommandContext(ctx, script, "--name", service).Output()
	if err != nil {
		return "", fmt.Errorf("dockertest: %s --name: %w", script, err)
	}
	return strings.TrimSpace(string(name)), nil
}

// findScript looks for deploy/images/ensure in the module that the test runs in: tests run in their
// package's folder.
func findScript() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		script := filepath.Join(dir, "deploy", "images", "ensure")
		if _, err := os.Stat(script); err == nil {
			return script, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("dockertest: no deploy/images/ensure above the working directory")
		}
		dir = parent
	}
}
