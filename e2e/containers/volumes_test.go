package containers

import (
	"fmt"
	"strings"
	"testing"

	"rideshare/e2e/compose"
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

// keepCopies copies what the databases and the broker have on disk, while no server runs.
func (s *site) keepCopies(t *testing.T) error {
	volumes, err := stack.Docker("volume", "ls", "-q", "--filter", "label=rideshare.project="+s.Project, "--filter", "label=rideshare.part=data")
	for _, volume := range append(strings.Fields(volumes), s.brokerVolume()) {
		t.Cleanup(func() { _, _ = stack.Docker("volume", "rm", "-f", copyOf(volume)) })
		s.copyVolume(volume, copyOf(volume))
	}
	return err
}

func (s *site) brokerVolume() string { return s.Project + "_rabbitmq" }

func copyOf(volume string) string { return volume + "-copy" }

// copyVolume makes a volume the same as another. No server uses either.
func (s *site) copyVolume(from, to string) {
	s.must("docker", "run", "--rm", "--network=none", "--user=0", "-v", from+":/from:ro", "-v", to+":/to",
		"--entrypoint=/bin/sh", dockertest.Image(s, "mysql"), "-euc", "find /to -mindepth 1 -delete; cp -a /from/. /to/")
}

// restore writes, kills everything, gives a slave and the others named the volumes that they had at the last
// time, and starts everything. It returns the slave.
func (s *site) restore(t *testing.T, users string, others ...string) compose.Pair {
	t.Helper()
	target := load.NewTarget(s.Target.URL, s.Token, 1)
	for i := range 20 {
		user := db.Op{Insert: "users", Values: map[string]any{"username": fmt.Sprint(users, i), "password_hash": "none"}}
		if _, err := target.Write(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	before := s.users(t, target)
	slave := s.Pick(cluster.Slave)
	volume := s.must("docker", "inspect", "-f", `{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}}{{end}}{{end}}`, slave.DatabaseContainer)
	if err := s.killAll(); err != nil {
		t.Fatal(err)
	}
	for _, volume := range append(others, volume) {
		s.must("docker", "volume", "inspect", copyOf(volume)) // a name that is not there would be a new, empty volume
		s.copyVolume(copyOf(volume), volume)
	}
	if err := s.Make("up"); err != nil {
		t.Fatal(err)
	}
	s.Agree()
	if after := s.users(t, target); after != before {
		t.Errorf("%d users became %d", before, after)
	}
	return slave
}

func (s *site) users(t *testing.T, target *load.Target) int64 {
	t.Helper()
	result, err := target.Read(t.Context(), db.Read{Queries: []db.Query{{Table: "users", Count: true}}, Consistency: db.Strong})
	if err != nil {
		t.Fatal(err)
	}
	return *result.Results[0].Count
}

// restoreSlave kills everything, and gives a slave the database that it had at the last time, as a restored volume
// does. The slave goes on from there by the log, without another's snapshot.
func (s *site) restoreSlave(t *testing.T) {
	sub := s.of(t)
	slave := sub.restore(t, "after the copy ")
	for pair, logs := range sub.workerLogs(t) {
		if pair != slave.Pair {
			continue
		}
		if !strings.Contains(logs, `"msg":"starting"`) || strings.Contains(logs, `"msg":"joined"`) {
			t.Errorf("the worker has copied a snapshot, or says nothing:\n%s", logs)
		}
		return
	}
	t.Errorf("the pair %s of the slave is gone", slave.Pair)
}

// workerLogs returns what the workers have logged, by pair.
func (s *site) workerLogs(t *testing.T) map[string]string {
	t.Helper()
	topology, err := s.Topology()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, w := range topology.Workers {
		worker, _ := s.Containers(w)
		all[w.Pair] = s.must("docker", "logs", worker)
	}
	return all
}

// restoreLog kills everything, and gives the broker the log that it had at the last time, as a loss of power does that
// comes before the newest records are on its disk. A slave fits that log. Nevertheless the log goes on
// from the replicas that have more.
func (s *site) restoreLog(t *testing.T) {
	sub := s.of(t)
	slave := sub.restore(t, "in the lost end ", s.brokerVolume())
	began := ""
	for pair, logs := range sub.workerLogs(t) {
		if strings.Contains(logs, `"again":true`) {
			began = pair
		}
	}
	if began == "" || began == slave.Pair {
		t.Errorf("the log was begun again by pair %q, not by one that has more than %s", began, slave.Pair)
	}
}
