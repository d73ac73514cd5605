package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rideshare/e2e/netcut"
	"rideshare/e2e/stack"
)

// Brokers and Keepers are the services of RabbitMQ and ZooKeeper that `make up-ha` starts.
func Brokers() []string { return []string{"rabbitmq", "rabbitmq2", "rabbitmq3"} }

// Keepers is described at Brokers.
func Keepers() []string { return []string{"zookeeper", "zookeeper2", "zookeeper3"} }

// LeaderOf returns the service of the RabbitMQ that leads a queue or a stream.
func (s *Site) LeaderOf(queue string) (string, error) {
	id, err := s.Stack.Service("rabbitmq")
	if err != nil {
		return "", err
	}
	out, err := stack.Docker("exec", id, "rabbitmqctl", "-q", "list_queues", "name", "leader")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == queue {
			return strings.TrimPrefix(f[1], "rabbit@"), nil
		}
	}
	return "", fmt.Errorf("nobody leads %s: %s", queue, out)
}

// Keeper returns the service of the ZooKeeper of that mode: leader, or follower.
func (s *Site) Keeper(mode string) (string, error) {
	for _, service := range Keepers() {
		id, err := s.Stack.Service(service)
		if err != nil {
			return "", err
		}
		out, err := stack.Docker("exec", id, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/2181; echo srvr >&3; grep Mode <&3")
		if err == nil && out == "Mode: "+mode {
			return service, nil
		}
	}
	return "", fmt.Errorf("no ZooKeeper is %s", mode)
}

// CutOff is a container that is cut off, and its peers.
type CutOff struct {
	Container string
	Peers     []string // containers; the container itself does not count
	Way       netcut.Way
}

// CutServices returns the cut of a service from other services.
func (s *Site) CutServices(service string, way netcut.Way, peers ...string) (CutOff, error) {
	c := CutOff{Way: way}
	var err error
	if c.Container, err = s.Stack.Service(service); err != nil {
		return c, err
	}
	for _, p := range peers {
		id, err := s.Stack.Service(p)
		if err != nil {
			return c, err
		}
		c.Peers = append(c.Peers, id)
	}
	return c, nil
}

// Everything returns all containers of the project that run.
func (s *Site) Everything() ([]string, error) {
	out, err := stack.Docker("ps", "-q", "--no-trunc", "--filter", "label=com.docker.compose.project="+s.Project)
	return strings.Fields(out), err
}

// Cuts returns what has to be dropped, all for the same time.
func (s *Site) Cuts(lasts time.Duration, cutOffs ...CutOff) ([]netcut.Cut, error) {
	var cuts []netcut.Cut
	for _, c := range cutOffs {
		own, err := stack.Addresses(c.Container)
		if err != nil {
			return nil, err
		}
		cut := netcut.Cut{Project: s.Project, Container: c.Container, Way: c.Way, For: lasts}
		for _, peer := range c.Peers {
			addresses, err := stack.Addresses(peer) // none of a container that has just ended
			if err != nil {
				return nil, err
			}
			for _, a := range addresses {
				if !slices.Contains(own, a) {
					cut.Peers = append(cut.Peers, a)
				}
			}
		}
		cuts = append(cuts, cut)
	}
	return cuts, nil
}

// Begin begins cuts at the same time, and returns when all have begun. wait waits until all have ended.
func Begin(ctx context.Context, cuts []netcut.Cut) (wait func() error, err error) {
	waits := make([]func() error, len(cuts))
	errs := make([]error, len(cuts))
	var beginning sync.WaitGroup
	for i, c := range cuts {
		beginning.Go(func() { waits[i], errs[i] = c.Begin(ctx) })
	}
	beginning.Wait()
	wait = func() error {
		var errs []error
		for _, w := range waits {
			if w != nil {
				errs = append(errs, w())
			}
		}
		return errors.Join(errs...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, wait())
	}
	return wait, nil
}
