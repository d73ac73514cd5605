package chaos

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"rideshare/e2e/netcut"
	"rideshare/e2e/stack"
)

const (
	chaosLabel  = netcut.Label // of what the campaign itself starts; its value is the project
	workerImage = "rideshare/worker:chaos"
	root        = "../.." // the checkout
)

//go:embed testdata/jump.go.txt
var jumpOfTime string // becomes a file of the package time

//go:embed testdata/clock.go.txt
var clockOfWorker string // becomes a file of cmd/worker

// jumped is what a worker says when its clock has jumped.
const jumped = "the clock jumped"

// buildPrograms builds the programs of the images into the folder: all as they are, but for the worker,
// whose time.Now can be set by signals. Containers share the machine's clock, which is not ours to set.
func buildPrograms(folder string) error {
	overlay, err := clockOverlay(folder)
	if err != nil {
		return err
	}
	for _, build := range [][]string{
		{"./cmd/gateway", "./cmd/users", "./cmd/rides", "./cmd/orchestrator", "./cmd/watcher"},
		{"-overlay", overlay, "./cmd/worker"},
	} {
		args := append([]string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", folder + "/"}, build...)
		if err := run(args, "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH); err != nil {
			return err
		}
	}
	return netcut.Build(root, folder)
}

// run runs a command in the checkout.
func run(args []string, env ...string) error {
	cmd := exec.Command("nice", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// clockOverlay writes what the compiler shall read in place of Go's package time, and what it shall
// find in the worker's package, and returns the file that says so.
func clockOverlay(folder string) (string, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	timeFolder := filepath.Join(strings.TrimSpace(string(goroot)), "src", "time")
	source, err := os.ReadFile(filepath.Join(timeFolder, "time.go"))
	if err != nil {
		return "", err
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), now) != 1 {
		return "", errors.New("time.Now is not as it was: the clock of the worker cannot be set")
	}
	worker, err := filepath.Abs(filepath.Join(root, "cmd", "worker", "clock.go"))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for path, text := range map[string]string{
		filepath.Join(timeFolder, "time.go"): strings.Replace(string(source), now, now+"\tsec += jump.Load()\n", 1),
		filepath.Join(timeFolder, "jump.go"): jumpOfTime,
		worker:                               clockOfWorker,
	} {
		file := filepath.Join(folder, fmt.Sprintf("overlay-%d.go", len(replace)))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[path] = file
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "overlay.json")
	return file, os.WriteFile(file, data, 0o600)
}

// removeOwn takes away what the campaign itself has started for a project: the containers first.
func removeOwn(project string) error {
	label := "label=" + chaosLabel + "=" + project
	var errs []error
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq", "--filter", label}, []string{"rm", "-fv"}},
		{[]string{"volume", "ls", "-q", "--filter", label}, []string{"volume", "rm", "-f"}},
	} {
		ids, err := stack.Docker(kind.list...)
		if err == nil && ids != "" {
			_, err = stack.Docker(append(kind.remove, strings.Fields(ids)...)...)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
