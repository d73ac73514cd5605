package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rideshare/client"
	"rideshare/functions/orchestrator"
	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

// healthy is what is seen of a system of three replicas in containers in which nothing is wrong.
func healthy(t *testing.T) *observation {
	t.Helper()
	o := &observation{
		url: "http://127.0.0.1:8080", now: time.Now(), local: true, wrote: true,
		answer: &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Consistency-Token": {"3.9"}}},
		disks:  []disk{{what: "the Docker engine's folder", path: "/var/lib/docker", free: 9 << 30, total: 99 << 30}},
	}
	if err := json.Unmarshal([]byte(topologyJSON), &o.topology); err != nil {
		t.Fatal(err)
	}
	o.topology.Workers[2].State, o.topology.Workers[2].Position, o.topology.Workers[2].Lag = "serving", "3.9", 0
	for _, name := range []string{"gateway", "users", "rides", "orchestrator", "watcher", "rabbitmq", "zookeeper"} {
		o.containers = append(o.containers, container{name: "rideshare_" + name + "_1", service: name, status: "running"})
	}
	for _, pair := range []string{"p1", "p2", "p3"} {
		o.containers = append(o.containers, container{name: "rideshare-" + pair + "-worker-1", service: "pair-worker", pair: pair, status: "running"})
	}
	return o
}

// become changes the container of a service.
func (o *observation) become(service string, change func(*container)) {
	for i := range o.containers {
		if o.containers[i].service == service {
			change(&o.containers[i])
			return
		}
	}
}

func answer503(detail string) error {
	return &client.Problem{Status: 503, Title: "Service Unavailable", Detail: detail}
}

// later is the topology again, changed.
func later(t *client.Topology, change func(*client.Topology)) *client.Topology {
	again := *t
	again.Workers = append([]client.Worker{}, t.Workers...)
	change(&again)
	return &again
}

// besides are the further parts that a case is a fault of.
var besides = map[string][]string{
	"no master, as the disks are full": {"slaves"},
	"a slave's full disk":              {"disk"},
	"a pair that does not start":       {"slaves"},
}

// In one process there is neither a broker nor a ZooKeeper nor a container, whatever is wrong.
func TestDiagnoseOneProcess(t *testing.T) {
	for name, spoil := range map[string]func(*observation){
		"nothing":   func(*observation) {},
		"no master": func(o *observation) { o.topology.Master = "" },
		"full disk": func(o *observation) {
			o.topology.Master = ""
			for i := range o.topology.Workers {
				o.topology.Workers[i].Role, o.topology.Workers[i].Database = "slave", "store: the disk is full: database or disk is full (13)"
			}
		},
		"a slave's database": func(o *observation) { o.topology.Workers[1].Database = "closed" },
		"a slave stuck": func(o *observation) {
			o.topology.Workers[1].Lag = 7
			o.later = later(o.topology, func(*client.Topology) {})
		},
		"a worker that dies": func(o *observation) {
			o.topology.Faults = []client.PairFault{{Pair: "p3", Why: "worker died: killed"}}
			o.later = later(o.topology, func(*client.Topology) {})
		},
		"no watcher": func(o *observation) { o.topology, o.clusterErr = nil, answer503("no reply in time") },
		"no answer":  func(o *observation) { o.topology, o.clusterErr = nil, errors.New("reset") },
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy(t)
			o.containers, o.disks = nil, []disk{{what: dataFolder, path: "/data", free: 9 << 30, total: 99 << 30}}
			for i := range o.topology.Workers {
				o.topology.Workers[i].Addr = o.topology.Workers[i].ID
			}
			spoil(o)
			faults := 0
			for _, f := range diagnose(o) {
				for _, stranger := range []string{"ZooKeeper", "RabbitMQ", "broker", "ocker", "container"} {
					if strings.Contains(f.Part+f.Found+f.Do, stranger) {
						t.Errorf("it names %s: %+v", stranger, f)
					}
				}
				if f.State == fault {
					faults++
				}
			}
			if name != "no answer" && (faults > 0) != (name != "nothing") {
				t.Errorf("%d faults", faults)
			}
		})
	}
}

func TestDiagnose(t *testing.T) {
	stop := func(c *container) { c.status = "exited" }
	for name, test := range map[string]struct {
		spoil func(*observation)
		part  string // whose finding is the fault
		found string
		do    string
	}{
		"broker down, in containers": {func(o *observation) {
			o.become("rabbitmq", stop)
			o.topology, o.clusterErr, o.writeErr = nil, answer503("the message broker cannot be reached"), answer503("the message broker cannot be reached")
		}, "broker", "rideshare_rabbitmq_1 is exited", "docker start rideshare_rabbitmq_1"},
		"broker down, from outside": {func(o *observation) {
			o.containers = nil
			o.topology, o.clusterErr, o.writeErr = nil, answer503("the message broker cannot be reached"), answer503("x")
		}, "broker", "cannot reach the message broker", "start RabbitMQ"},
		"ZooKeeper down, in containers": {func(o *observation) {
			o.become("zookeeper", stop)
			o.topology, o.clusterErr = nil, answer503("no reply in time")
		}, "ZooKeeper", "rideshare_zookeeper_1 is exited", "docker start rideshare_zookeeper_1"},
		"ZooKeeper down, from outside": {func(o *observation) {
			o.containers = nil
			o.topology, o.clusterErr = nil, answer503("registry: unavailable")
		}, "ZooKeeper", "cannot reach the registry", "start ZooKeeper"},
		"the watcher is away": {func(o *observation) {
			o.containers = nil
			o.topology, o.clusterErr = nil, answer503("no reply in time")
		}, "watcher", "no watcher answers", "start it"},
		"no master": {func(o *observation) {
			o.topology.Master = ""
			o.later = later(o.topology, func(*client.Topology) {})
		}, "master", "there is no master", "watcher's log"},
		"an elected worker that does not reach the log": {func(o *observation) {
			o.topology.RegistryLeader = client.Leader{Worker: "p2.1", Epoch: 4}
			o.later = later(o.topology, func(*client.Topology) {})
		}, "master", "p2.1 was elected for epoch 4", "RabbitMQ"},
		"a slave stuck": {func(o *observation) {
			o.topology.Workers[1].Lag, o.topology.Workers[1].Position = 5, "3.4"
			o.later = later(o.topology, func(t *client.Topology) { t.Workers[1].Lag = 70 })
		}, "slaves", "p2.1 is stuck", "the watcher replaces them"},
		"a slave that never joins": {func(o *observation) {
			o.topology.Workers[2].State, o.topology.Workers[2].Position = "joining", "0.0"
			o.later = later(o.topology, func(*client.Topology) {})
		}, "slaves", "p3.12 is stuck: it is joining", ""},
		"a slave paused": {func(o *observation) { o.become("pair-worker", func(c *container) { c.status = "paused" }) },
			"slaves", "rideshare-p1-worker-1 is paused", "docker unpause rideshare-p1-worker-1"},
		"too few slaves": {func(o *observation) {
			o.topology.Workers = o.topology.Workers[:2]
			o.later = later(o.topology, func(*client.Topology) {})
		}, "slaves", "1 of 2 slaves serve", ""},
		"no master, as the disks are full": {func(o *observation) {
			o.topology.Master = ""
			o.topology.Workers = o.topology.Workers[:1]
			o.topology.Workers[0].Role, o.topology.Workers[0].Database = "slave", "no space"
			o.topology.Desired.Slaves = 1
		}, "master", "the database of p1.1 cannot write: no space", "make room"},
		"a slave's full disk": {func(o *observation) {
			o.topology.Workers[1].Database = "store: the disk is full: The table 'rides' is full"
		}, "slaves", "the database of p2.1 cannot write: store: the disk is full", "make room"},
		"a full disk, says a database": {func(o *observation) {
			o.topology.Workers[0].Database = "store: the disk is full: The table 'rides' is full"
		}, "disk", "says the database of p1.1", "make room"},
		"a pair that does not start": {func(o *observation) {
			o.topology.Workers = o.topology.Workers[:2]
			o.topology.Faults = []client.PairFault{{Pair: "p3", Why: "worker died: out of memory"}}
			o.later = later(o.topology, func(*client.Topology) {})
		}, "deaths", "p3: worker died: out of memory", "log of the watcher"},
		"deaths again and again": {func(o *observation) {
			for range tooManyTimes {
				o.topology.Recoveries = append(o.topology.Recoveries, client.Recovery{At: o.now.Add(-time.Minute), Role: "slave", Why: "p2.7: worker died: exited with 1"})
			}
		}, "deaths", "5 in the last 10 minutes, made good; the last: p2.7: worker died: exited with 1", "log of that worker"},
		"a slave's database": {func(o *observation) { o.topology.Workers[1].Database = "no connection" }, "slaves", "no connection", ""},
		"disk full":          {func(o *observation) { o.disks[0].free = 3 << 20 }, "disk", "the disk is full: the Docker engine's folder", "make room"},
		"disk full, says the broker": {func(o *observation) {
			o.become("rabbitmq", func(c *container) {
				c.lines = "x\n2026-11-22 [warning] disk resource limit alarm set on node rabbit@rabbitmq.\nx\n"
			})
		}, "disk", "says rideshare_rabbitmq_1: 2026-11-22 [warning] disk resource limit alarm", "make room"},
		"disk full, says a database": {func(o *observation) {
			o.become("pair-worker", func(c *container) { c.lines = "write /data: No space left on device\n" })
		}, "disk", "No space left on device", "make room"},
		"wrong token": {func(o *observation) {
			o.topology, o.wrote, o.clusterErr = nil, false, &client.Problem{Status: 401, Title: "Unauthorized"}
		}, "token", "missing or wrong", "--token"},
		"port taken, in containers": {func(o *observation) {
			o.answer.Header = http.Header{}
			o.topology, o.wrote = nil, false
			o.become("gateway", func(c *container) {
				c.status, c.err = "created", "driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated"
			})
		}, "address", "the port is taken by another program", "RIDESHARE_PORT"},
		"port taken, in one process": {func(o *observation) {
			o.answer.Header, o.containers, o.topology, o.wrote = http.Header{}, nil, nil, false
		}, "address", "the port is taken by another program", "RIDESHARE_ADDR"},
		"nothing there": {func(o *observation) {
			o.answer, o.containers, o.topology, o.wrote = nil, nil, nil, false
			o.answerErr = &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}, "address", "nothing listens", "rideshare run"},
		"the port's proxy has ended": {func(o *observation) {
			o.answer, o.topology, o.wrote = nil, nil, false
			o.answerErr = &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}, "address", "the engine's proxy for the port has ended", "docker restart rideshare_gateway_1"},
		"the gateway is down": {func(o *observation) {
			o.answer, o.answerErr, o.topology, o.wrote = nil, errors.New("refused"), nil, false
			o.become("gateway", stop)
		}, "address", "rideshare_gateway_1 is exited", "docker start"},
		"the functions are down": {func(o *observation) {
			o.answer = &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{"Server": {"nginx"}}}
			o.topology, o.wrote = nil, false
		}, "address", "it reaches no function", "orchestrator"},
		"writes fail": {func(o *observation) { o.writeErr = answer503("no reply in time") }, "writes", "not acknowledged", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy(t)
			test.spoil(o)
			findings := diagnose(o)
			for _, f := range findings {
				// What cannot be written to is a fault of its own, beside its cause.
				if f.State == fault && f.Part != test.part && f.Part != "writes" && !slices.Contains(besides[name], f.Part) {
					t.Errorf("another fault: %+v", f)
				}
				if f.Part == test.part && (f.State != fault || !strings.Contains(f.Found, test.found) || !strings.Contains(f.Do, test.do) || f.Do == "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
	for _, f := range diagnose(healthy(t)) {
		if f.State != well {
			t.Errorf("nothing is wrong: %+v", f)
		}
	}
}

// Those that move, or have just come, are not stuck; nor is a broker down of which two nodes run.
func TestDiagnoseLeavesTheWellAlone(t *testing.T) {
	for name, change := range map[string]func(*observation){
		"a slave that moves": func(o *observation) {
			o.topology.Workers[1].Lag, o.topology.Workers[1].Position = 5, "3.4"
			o.later = later(o.topology, func(t *client.Topology) { t.Workers[1].Position = "3.8" })
		},
		"a slave that has just come": func(o *observation) {
			o.later = later(o.topology, func(t *client.Topology) {})
			o.topology.Workers = o.topology.Workers[:2]
		},
		"one node of three": func(o *observation) {
			o.containers = append(o.containers, container{service: "rabbitmq2", status: "exited"}, container{service: "rabbitmq3", status: "running"})
		},
		"an earlier worker of a pair": func(o *observation) {
			o.containers = append(o.containers, container{service: "pair-worker", pair: "p1", status: "exited"})
		},
	} {
		o := healthy(t)
		change(o)
		for _, f := range diagnose(o) {
			if f.State == fault {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

func TestParseInspect(t *testing.T) {
	got, err := parseInspect([]byte(`[{"Name":"/rideshare_rabbitmq_1","State":{"Status":"running","Error":"","Health":{"Status":"unhealthy"}},
		"Config":{"Labels":{"com.docker.compose.service":"rabbitmq"}}},
		{"Name":"/rideshare-p1-worker-1","State":{"Status":"created","Error":"port is already allocated"},
		"Config":{"Labels":{"com.docker.compose.service":"pair-worker","rideshare.pair":"p1"}}}]`))
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if a, b := got[0], got[1]; a.name != "rideshare_rabbitmq_1" || a.runs() || a.service != "rabbitmq" || b.pair != "p1" || b.err != "port is already allocated" {
		t.Errorf("%+v", got)
	}
	if _, err := parseInspect([]byte("nonsense")); err == nil {
		t.Error("nonsense is read")
	}
}

// doctor runs the command, and returns the faults by part.
func (s *shell) doctor(args ...string) map[string]finding {
	s.Helper()
	s.vars = append(s.vars, "COMPOSE_PROJECT_NAME=no-such-project-"+s.Name())
	r := s.run(append([]string{"doctor", "--wait", "1ms", "-o", "json"}, args...)...)
	var findings []finding
	if err := json.Unmarshal([]byte(r.out), &findings); err != nil {
		s.Fatalf("%v: %+v", err, r)
	}
	faults := map[string]finding{}
	for _, f := range findings {
		if f.State == fault {
			faults[f.Part] = f
		}
	}
	if want := map[bool]int{true: exitFound, false: 0}[len(faults) > 0]; r.code != want || r.err != "" {
		s.Errorf("exit code %d, not %d: %s", r.code, want, r.err)
	}
	return faults
}

// only checks that there is one fault, in that part.
func (s *shell) only(faults map[string]finding, part, found string) {
	s.Helper()
	if f, ok := faults[part]; !ok || !strings.Contains(f.Found, found) {
		s.Errorf("no fault of %s that says %q: %+v", part, found, faults)
	}
	delete(faults, part)
	delete(faults, "writes")
	if len(faults) > 0 {
		s.Errorf("other faults: %+v", faults)
	}
}

// TestDoctorOnASystem: on real parts, as far as one process has them.
func TestDoctorOnASystem(t *testing.T) {
	s := system(t)
	s.eventually("nothing is wrong", func() bool { return len(s.doctor()) == 0 })
	if out := s.ok("doctor"); !strings.Contains(out, "master") || !strings.Contains(out, "ok") {
		t.Errorf("as a table:\n%s", out)
	}
	s.only(s.doctor("--token", "wrong"), "token", "missing or wrong")
	stranger := httptest.NewServer(http.NotFoundHandler())
	defer stranger.Close()
	s.only(s.doctor("--url", stranger.URL), "address", "the port is taken by another program")
	stranger.Close()
	s.only(s.doctor("--url", stranger.URL), "address", "nothing listens")
}

// awayBus is a bus as callers see it when something behind it is away.
type awayBus struct {
	bus.Bus
	call func(context.Context, bus.Queue) ([]byte, error)
}

func (b awayBus) Call(ctx context.Context, q bus.Queue, _ bus.Request) ([]byte, error) {
	return b.call(ctx, q)
}

// Inspect implements bus.Bus.
func (awayBus) Inspect(context.Context, bus.Queue) (bus.Stats, error) {
	return bus.Stats{}, bus.ErrUnavailable
}

// TestDoctorThroughTheOrchestrator: what the real function says of what is away behind it.
func TestDoctorThroughTheOrchestrator(t *testing.T) {
	unavailable, err := json.Marshal(cluster.Answer{Problem: cluster.Failed, Message: "registry: unavailable"})
	if err != nil {
		t.Fatal(err)
	}
	var headless cluster.Topology
	if err := json.Unmarshal([]byte(topologyJSON), &headless); err != nil {
		t.Fatal(err)
	}
	headless.Master, headless.Workers[2].State, headless.Workers[2].Lag = "", cluster.Serving, 0
	noMaster, err := json.Marshal(cluster.Answer{Topology: &headless})
	if err != nil {
		t.Fatal(err)
	}
	headless.Master, headless.Workers[1].Lag = "p1.1", 7
	stuck, err := json.Marshal(cluster.Answer{Topology: &headless})
	if err != nil {
		t.Fatal(err)
	}
	written := []byte(`{"write":{"results":[{"rows":0}],"position":"3.9"}}`)
	for name, test := range map[string]struct {
		call        func(context.Context, bus.Queue) ([]byte, error)
		part, found string
	}{
		"broker down": {func(context.Context, bus.Queue) ([]byte, error) { return nil, bus.ErrUnavailable }, "broker", "broker"},
		"ZooKeeper down": {func(_ context.Context, q bus.Queue) ([]byte, error) {
			if q == bus.Control {
				return unavailable, nil
			}
			return written, nil
		}, "ZooKeeper", "registry"},
		"no master": {func(_ context.Context, q bus.Queue) ([]byte, error) {
			if q == bus.Control {
				return noMaster, nil
			}
			return nil, context.DeadlineExceeded
		}, "master", "no master"},
		"a slave stuck": {func(_ context.Context, q bus.Queue) ([]byte, error) {
			if q == bus.Control {
				return stuck, nil
			}
			return written, nil
		}, "slaves", "p2.1 is stuck"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			server := httptest.NewServer(orchestrator.New(
				httpapi.Options{Guard: (&auth.Policy{}).Guard, Timeout: time.Second}, orchestrator.Config{Bus: awayBus{call: test.call}}))
			defer server.Close()
			s := &shell{TB: t, url: server.URL}
			s.only(s.doctor(), test.part, test.found)
		})
	}
}
