// Package scripts runs the scripts of deploy and localstack with stand-ins for the tools that they
// call, which record the calls.
package scripts

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the checkout.
const root = "../.."

// stage is a PATH with stand-ins, and a folder for what a script leaves.
type stage struct {
	*testing.T
	dir  string
	env  []string
	path string // after the stand-ins
}

// set returns a stage whose scripts find the stand-ins first, and then the tools of this machine.
func set(t *testing.T) *stage {
	t.Helper()
	dir := t.TempDir()
	s := &stage{T: t, dir: dir, path: os.Getenv("PATH")}
	if err := os.Mkdir(s.file("bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.env = []string{
		"CALLS=" + s.file("calls"), "STATE=" + dir, "TMPDIR=" + dir,
		"COMPOSE_PROJECT_NAME=staged", "RIDESHARE_SECRETS=" + s.file("secrets"),
	}
	return s
}

// file returns the path of a file of this stage.
func (s *stage) file(name string) string { return filepath.Join(s.dir, name) }

// standIn puts a tool before those of this machine. It notes its name and arguments as a line, then
// runs the body, a bash script.
func (s *stage) standIn(name, body string) {
	s.Helper()
	script := "#!/usr/bin/env bash\nread -ra words -d '' <<<\"" + name + " $*\" || true\n" +
		"echo \"${words[*]}\" >>\"$CALLS\"\n" + body + "\n"
	if err := os.WriteFile(s.file("bin/"+name), []byte(script), 0o755); err != nil {
		s.Fatal(err)
	}
}

// inherited are the variables of this machine that would change what the scripts do.
var inherited = []string{"PATH=", "COMPOSE_", "RIDESHARE_", "AWS_", "ARCHITECTURE=", "GOARCH=", "MAKEFLAGS=", "DOCKER_"}

// run runs a program of the checkout, and returns what it prints and its exit code.
func (s *stage) run(program string, args ...string) (string, int) {
	s.Helper()
	cmd := exec.Command(program, args...) // relative to the checkout, whose folder is set below
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(inherited, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	})
	cmd.Env = append(append(cmd.Env, s.env...), "PATH="+s.file("bin")+":"+s.path)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.Fatalf("%s: %v", program, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a program that has to succeed.
func (s *stage) must(program string, args ...string) string {
	s.Helper()
	out, code := s.run(program, args...)
	if code != 0 {
		s.Fatalf("%s %v: exit code %d\n%s\ncalls:\n%s", program, args, code, out, strings.Join(s.calls(), "\n"))
	}
	return out
}

// calls returns the calls of stand-ins since the last call of calls.
func (s *stage) calls() []string {
	s.Helper()
	data, err := os.ReadFile(s.file("calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.Fatal(err)
	}
	if err := os.RemoveAll(s.file("calls")); err != nil {
		s.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// inOrder fails the test unless calls that begin with these are there, in this order.
func (s *stage) inOrder(calls []string, want ...string) {
	s.Helper()
	rest := calls
	for _, w := range want {
		i := slices.IndexFunc(rest, func(c string) bool { return strings.HasPrefix(c, w) })
		if i < 0 {
			s.Fatalf("there is no call %q, or not after those before it, in\n%s", w, strings.Join(calls, "\n"))
		}
		rest = rest[i+1:]
	}
}

// none fails the test when a call begins with this.
func (s *stage) none(calls []string, prefix string) {
	s.Helper()
	if slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, prefix) }) {
		s.Errorf("there is a call %q in\n%s", prefix, strings.Join(calls, "\n"))
	}
}

// read returns a file of the stage.
func (s *stage) read(name string) string {
	s.Helper()
	data, err := os.ReadFile(s.file(name))
	if err != nil {
		s.Fatal(err)
	}
	return string(data)
}

// docker is an engine on which every image is there already.
const docker = `case "$*" in
"version -f {{.Server.Arch}}") go env GOHOSTARCH ;;
"info -f {{.OperatingSystem}}") echo "${ENGINE:-Linux}" ;;
"network inspect"*) echo 172.30.0.1 ;;
import*) cat >/dev/null ;;
esac`
