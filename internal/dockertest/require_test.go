package dockertest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestRequire runs TestRequireChild in processes for which there is no engine.
func TestRequire(t *testing.T) {
	for ci, want := range map[string]string{
		"":     "--- SKIP",
		"true": "--- FAIL",
	} {
		child := exec.Command(os.Args[0], "-test.run=^TestRequireChild$", "-test.v")
		child.Env = append(os.Environ(), "DOCKERTEST_CHILD=1", "DOCKER_HOST=unix:///nowhere/docker.sock", "CI="+ci)
		out, _ := child.CombinedOutput()
		if !strings.Contains(string(out), want) || !strings.Contains(string(out), "no Docker engine answers") {
			t.Errorf("CI=%q without an engine: want %s and the reason, got:\n%s", ci, want, out)
		}
	}
}

func TestRequireChild(t *testing.T) {
	if os.Getenv("DOCKERTEST_CHILD") == "" {
		t.Skip("only for TestRequire")
	}
	Require(t)
	t.Log("went on")
}
