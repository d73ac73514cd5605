package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/network"
)

const composeFile = `
version: "2.4"
services:
  watcher:
    image: ` + idleImage + `
`

// TestComposeDown: compose leaves pairs alone when it comes up, and removes them when it goes down.
func TestComposeDown(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	command := w.compose()
	w.config.Networks = []string{w.config.Project + "_default"}
	folder := t.TempDir()
	w.ok(os.WriteFile(filepath.Join(folder, "docker-compose.yml"), []byte(composeFile), 0o600))
	compose := func(args ...string) {
		t.Helper()
		all := append(append([]string{}, command[1:]...), "-p", w.config.Project)
		run := exec.CommandContext(t.Context(), command[0], append(all, args...)...)
		run.Dir = folder
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	compose("up", "-d")
	p := w.open()
	pair := w.create(p)
	w.ok(p.Kill(t.Context(), pair.ID, "database"))
	_, err := p.Start(t.Context(), pair.ID) // so that there are a dead worker and two of one kind
	w.ok(err)
	compose("up", "-d")
	compose("ps")
	if pair, err = p.find(t.Context(), pair.ID); err != nil || !pair.Worker.Running || !pair.Database.Running {
		t.Fatalf("after another up: %+v, %v", pair, err)
	}
	compose("down", "--volumes", "--remove-orphans")
	if c, err := p.containers(t.Context(), ""); err != nil || len(c) > 0 {
		t.Errorf("%d containers are left, %v", len(c), err)
	}
	_, err = w.NetworkInspect(t.Context(), w.config.Networks[0], network.InspectOptions{})
	if err == nil {
		t.Error("the network is left")
	}
	// What compose leaves is found by label.
	networks, err := p.networks(t.Context(), "")
	w.ok(err)
	for _, n := range networks {
		w.ok(w.NetworkRemove(t.Context(), n.ID))
	}
	if len(networks) != 1 {
		t.Errorf("%d networks of pairs are found", len(networks))
	}
	volumes, err := p.volumes(t.Context(), "")
	w.ok(err)
	for _, v := range volumes {
		t.Log("left, with labels: ", v.Labels[labelPair], v.Labels[labelPart])
		w.ok(w.VolumeRemove(t.Context(), v.Name, false))
	}
}

// compose returns the command for compose: 1.29 or v2.
func (w *world) compose() []string {
	w.t.Helper()
	for _, command := range [][]string{{"docker-compose"}, {"docker", "compose"}} {
		if exec.Command(command[0], append(command[1:], "version")...).Run() == nil {
			return command
		}
	}
	w.t.Skip("compose is not installed")
	return nil
}
