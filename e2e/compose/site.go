// Package compose is the system in containers under test: brought up as a person does, with the
// containers of its parts at hand. It is for packages two folders below the checkout's root.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rideshare/e2e/load"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
	"rideshare/internal/dockertest"
)

// Site is the system in containers, under a project's name of its own.
type Site struct {
	*load.Site
	*stack.Stack
	Token string // the service token
}

// Start brings the system up as a person does, with `make up`, and with additions to the environment.
func Start(t testing.TB, env ...string) *Site {
	t.Helper()
	dockertest.Require(t)
	up, err := stack.New("../..", filepath.Join(t.TempDir(), "secrets"), env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := up.Down(); err != nil {
			t.Error(err)
		}
		if out, err := stack.Docker("image", "prune", "-af", "--filter", "label=rideshare.test="+up.Project); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	s := &Site{Stack: up}
	out, err := s.Run(context.Background(), "make", "up")
	t.Logf("make up:\n%s", out)
	if err != nil {
		t.Fatalf("make up: %v", err)
	}
	if s.Token, err = up.Token(); err != nil {
		t.Fatal(err)
	}
	s.Site = &load.Site{
		TB: t, Ledger: load.NewLedger(), Target: load.NewTarget("http://127.0.0.1:"+s.Port, s.Token, 64),
		Replicas: s.replicas, Patience: 90 * time.Second,
	}
	s.Until("the topology is whole", s.Whole)
	return s
}

// Make makes a target of the Makefile.
func (s *Site) Make(target string) error {
	if out, err := s.Run(s.Context(), "make", target); err != nil {
		return fmt.Errorf("make %s: %w\n%s", target, err, out)
	}
	return nil
}

// replicas asks every running worker's container for its digest.
func (s *Site) replicas(ctx context.Context) (map[string]string, error) {
	ids, err := stack.Docker("ps", "-q", "--filter", "label=rideshare.project="+s.Project, "--filter", "label=rideshare.part=worker")
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, id := range strings.Fields(ids) {
		ip, err := stack.Address(id)
		if err != nil {
			return nil, err
		}
		if digests[id], err = s.digest(ctx, ip); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

func (s *Site) digest(ctx context.Context, ip string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ip+":7000/digest", nil)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(s.Secrets, "snapshot_token"))
	if err != nil {
		return "", err
	}
	token, _, _ := strings.Cut(string(text), "\n") // what follows is valid, too, while it is replaced
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.Target.HTTP.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %d: %s", ip, resp.StatusCode, body)
	}
	return string(body), err
}

// Service returns the container of a service of the compose file.
func (s *Site) Service(name string) string {
	s.Helper()
	id, err := s.Stack.Service(name)
	if err != nil {
		s.Fatal(err)
	}
	return id
}

// Do runs docker commands on a container.
func (s *Site) Do(command, container string) {
	s.Helper()
	if _, err := stack.Docker(command, container); err != nil {
		s.Error(err)
	}
}

// Pair is a worker, and the containers of it and of its database.
type Pair struct {
	cluster.Worker
	WorkerContainer, DatabaseContainer string
	Epoch                              uint64 // the latest, when the pair was picked
}

// PairOf returns the containers of a worker.
func (s *Site) PairOf(w cluster.Worker, epoch uint64) Pair {
	worker, database := s.Containers(w)
	return Pair{w, worker, database, epoch}
}

// Pick returns the master, or a slave.
func (s *Site) Pick(role cluster.Role) Pair {
	s.Helper()
	t, err := s.Topology()
	if err != nil {
		s.Fatal(err)
	}
	for _, w := range t.Workers {
		if w.Role == role {
			return s.PairOf(w, t.Epoch)
		}
	}
	s.Fatalf("there is no %s: %+v", role, t)
	return Pair{}
}

// Destroy takes away a pair's containers, and the volume with its data.
func (s *Site) Destroy(p Pair) {
	s.Helper()
	volume, err := stack.Docker("inspect", "-f", "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}}{{end}}{{end}}", p.DatabaseContainer)
	if err != nil {
		s.Fatal(err)
	}
	// The engine may find a file system in use at first.
	s.Until("the pair is gone", func() bool {
		var err error
		for _, container := range []string{p.WorkerContainer, p.DatabaseContainer} {
			if _, missing := stack.Docker("inspect", container); missing == nil {
				_, e := stack.Docker("rm", "-fv", container)
				err = errors.Join(err, e)
			}
		}
		if err == nil {
			_, err = stack.Docker("volume", "rm", "-f", volume)
		}
		if err != nil {
			s.Log(err)
		}
		return err == nil
	})
}
