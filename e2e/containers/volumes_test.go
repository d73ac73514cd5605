package containers

import (
	"fmt"
	"strings"
	"testing"

	"rideshare/e2e/load"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/dockertest"
)

// killAll kills every container.
func (s *site) killAll() error {
	for _, label := range []string{"com.docker.compose.project", "rideshare.project"} {
		ids, err := stack.Docker("ps", "-q", "--filter", "label="+label+"="+s.Project)
		if err == nil && ids != "" {
			_, err = stack.Docker(append([]string{"kill"}, strings.Fields(ids)...)...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepCopies copies what the databases have on disk, while no server runs.
func (s *site) keepCopies(t *testing.T) error {
	volumes, err := stack.Docker("volume", "ls", "-q", "--filter", "label=rideshare.project="+s.Project, "--filter", "label=rideshare.part=data")
	for volume := range strings.FieldsSeq(volumes) {
		t.Cleanup(func() { _, _ = stack.Docker("volume", "rm", "-f", copyOf(volume)) })
		s.copyVolume(volume, copyOf(volume))
	}
	return err
}

func copyOf(volume string) string { return volume + "-copy" }

// copyVolume makes a volume the same as another. No server uses either.
func (s *site) copyVolume(from, to string) {
	s.must("docker", "run", "--rm", "--network=none", "--user=0", "-v", from+":/from:ro", "-v", to+":/to",
		"--entrypoint=/bin/sh", dockertest.Image(s, "mysql"), "-euc", "find /to -mindepth 1 -delete; cp -a /from/. /to/")
}

// restoreSlave kills everything, and gives a slave the database that it had at the last time, as a restored volume
// does. The slave goes on from there by the log, without another's snapshot.
func (s *site) restoreSlave(t *testing.T) {
	sub := s.of(t)
	target := load.NewTarget(s.Target.URL, s.Token, 1)
	for i := range 20 {
		user := db.Op{Insert: "users", Values: map[string]any{"username": fmt.Sprint("after the copy ", i), "password_hash": "none"}}
		if _, err := target.Write(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	slave := sub.Pick(cluster.Slave)
	volume := sub.must("docker", "inspect", "-f", `{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}}{{end}}{{end}}`, slave.DatabaseContainer)
	sub.must("docker", "volume", "inspect", copyOf(volume)) // a name that is not there would be a new, empty volume
	if err := s.killAll(); err != nil {
		t.Fatal(err)
	}
	sub.copyVolume(copyOf(volume), volume)
	if err := s.Make("up"); err != nil {
		t.Fatal(err)
	}
	sub.Agree()
	topology, err := s.Topology()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range topology.Workers {
		if w.Pair != slave.Pair {
			continue
		}
		worker, _ := s.Containers(w)
		logs := sub.must("docker", "logs", worker)
		if !strings.Contains(logs, `"msg":"starting"`) || strings.Contains(logs, `"msg":"joined"`) {
			t.Errorf("%s has copied a snapshot, or says nothing:\n%s", w.ID, logs)
		}
		return
	}
	t.Errorf("the pair of the slave is gone: %+v", topology)
}
