package containers

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

const (
	haWriters = 8
	haReaders = 8
	// away is how long a node is missed before it is started again.
	away = 2 * time.Second
)

// TestHA kills each of the parts of which `make up-ha` has more than one, under load. No request
// may fail, and the topology has to answer throughout. Requests have 40 s: thirteen services, the load
// and a broker that starts share two processors here. How long they took is in the table.
func TestHA(t *testing.T) {
	s := start(t, "RIDESHARE_HA=true", "RIDESHARE_TIMEOUT=40s")
	nodes := []string{"rabbitmq", "rabbitmq2", "rabbitmq3"}
	faults := []struct {
		name   string
		inject func()
	}{
		{"kill the first RabbitMQ", func() { s.miss(nodes[0]) }},
		{"kill the second RabbitMQ", func() { s.miss(nodes[1]) }},
		{"kill the third RabbitMQ", func() { s.miss(nodes[2]) }},
		{"kill the ZooKeeper that leads", func() { s.miss(s.keeper("leader")) }},
		{"kill a ZooKeeper that follows", func() { s.miss(s.keeper("follower")) }},
		{"kill the leading watcher, and then the master's worker", s.killLeadingWatcher},
		{"let two RabbitMQs die, the second when the first is back", func() { s.die(nodes[0]); s.die(nodes[1]) }},
	}
	s.Patience = 3 * time.Minute // the start of a broker, beside all of this
	table := report.Table{Columns: []string{
		"what, of three nodes each, under 8 writers + 8 readers", "requests", "failed", "longest wait of a writer", "whole again after",
	}}
	s.UnderLoad(haWriters, haReaders, func() {
		longest := s.pollTopology(func() {
			for _, fault := range faults {
				after(time.Second)
				begun := time.Now()
				requests, failures := s.Ledger.Failures()
				fault.inject()
				s.await("the topology is whole", s.Whole)
				whole := time.Since(begun)
				nowRequests, nowFailures := s.Ledger.Failures()
				waits := s.Ledger.Waits(begun)
				t.Logf("%s: whole again after %v, %d failed", fault.name, whole, len(nowFailures)-len(failures))
				table.Add(fault.name, nowRequests-requests, len(nowFailures)-len(failures), waits[len(waits)-1], whole)
			}
		})
		t.Logf("the longest wait for the topology: %v", longest)
	})
	t.Logf("\n%s", table.Markdown())
	s.NoneFailed()
	s.Verdict()
	publish(t, "ha", table)
}

// miss kills a service's container, and starts it when the load has gone on without it: for Docker
// a kill is its operator's will, and no reason to start anything.
func (s *site) miss(service string) {
	s.Helper()
	id := s.Service(service)
	s.Do("kill", id)
	after(away)
	s.Do("start", id)
	s.healthy(id)
}

// die lets the process of a service's container die, and waits until it is back by itself.
func (s *site) die(service string) {
	s.Helper()
	id := s.Service(service)
	process, err := stack.Docker("inspect", "-f", "{{.State.Pid}} {{.Image}}", id)
	if err != nil {
		s.Fatal(err)
	}
	pid, image, _ := strings.Cut(process, " ")
	// Its first process is out of reach of signals from within.
	if _, err := stack.Docker("run", "--rm", "--pid=host", "--user=0", "--entrypoint=bash", image, "-c", "kill -9 "+pid); err != nil {
		s.Fatal(err)
	}
	s.await(service+" is started again", func() bool {
		now, err := stack.Docker("inspect", "-f", "{{.State.Running}} {{.State.Pid}}", id)
		return err == nil && strings.HasPrefix(now, "true ") && now != "true "+pid
	})
	s.healthy(id)
}

// await is Until for what costs the processors more than it should while something starts.
func (s *site) await(what string, condition func() bool) {
	s.Helper()
	s.Until(what, func() bool {
		if condition() {
			return true
		}
		after(200 * time.Millisecond)
		return false
	})
}

func (s *site) healthy(id string) {
	s.Helper()
	s.await(id+" is healthy", func() bool {
		health, err := stack.Docker("inspect", "-f", "{{.State.Health.Status}}", id)
		return err == nil && health == "healthy"
	})
}

// keeper returns the ZooKeeper service of that mode.
func (s *site) keeper(mode string) string {
	s.Helper()
	for _, service := range []string{"zookeeper", "zookeeper2", "zookeeper3"} {
		out, err := stack.Docker("exec", s.Service(service), "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/2181; echo srvr >&3; grep Mode <&3")
		if err == nil && out == "Mode: "+mode {
			return service
		}
	}
	s.Fatalf("no ZooKeeper is %s", mode)
	return ""
}

// killLeadingWatcher leaves the master's death to the other watcher.
func (s *site) killLeadingWatcher() {
	s.Helper()
	leading := s.leadingWatcher()
	s.Do("kill", leading)
	master := s.Pick(cluster.Master) // which the other one answers
	s.Do("kill", master.WorkerContainer)
	s.backAfter(master)
	s.Do("start", leading)
	s.healthy(leading)
}

// leadingWatcher returns the container of the watcher whose last word about it is that it leads.
func (s *site) leadingWatcher() string {
	s.Helper()
	for _, service := range []string{"watcher", "watcher2"} {
		id := s.Service(service)
		log, err := stack.Docker("logs", id)
		if err == nil && strings.LastIndex(log, `"leading":true`) > strings.LastIndex(log, `"leading":false`) {
			return id
		}
	}
	s.Fatal("no watcher leads")
	return ""
}

// pollTopology asks for the topology while f runs, counts failures with those of the load, and
// returns the longest wait.
func (s *site) pollTopology(f func()) (longest time.Duration) {
	ctx, stop := context.WithCancel(s.Context())
	var polling sync.WaitGroup
	polling.Go(func() {
		for ctx.Err() == nil {
			begun := time.Now()
			_, err := s.Topology()
			s.Ledger.Count(err)
			longest = max(longest, time.Since(begun))
			after(100 * time.Millisecond)
		}
	})
	f()
	stop()
	polling.Wait()
	return longest
}
