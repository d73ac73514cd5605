package dockertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// The container is a ZooKeeper because that starts fastest.

func TestKillStopPauseAndStart(t *testing.T) {
	s := ZooKeeper(t)
	addr := s.Addr(zookeeperPort)

	s.Pause(t)
	if state := s.State(t); state != "paused" {
		t.Errorf("after Pause it is %s", state)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a paused service answers")
	}
	s.Unpause(t)
	s.Await(t)

	for name, end := range map[string]func(testing.TB){"Kill": s.Kill, "Stop": s.Stop} {
		end(t)
		if state := s.State(t); state != "exited" {
			t.Errorf("after %s it is %s", name, state)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Errorf("after %s it answers", name)
		}
		s.Start(t)
		s.Await(t)
		if s.Addr(zookeeperPort) != addr {
			t.Errorf("after %s and Start it moved from %s to %s", name, addr, s.Addr(zookeeperPort))
		}
	}
	if logs := s.Logs(t); strings.Count(logs, "server.quorum.QuorumPeerMain") < 3 {
		t.Errorf("the logs do not show three starts:\n%s", logs)
	}
}

// sleeper is a container that costs nothing.
func sleeper(t *testing.T, change ...func(*Options)) *Container {
	t.Helper()
	o := Options{Service: "zookeeper", Name: "sleeper", Args: []string{"sleep", "600"}}
	for _, f := range change {
		f(&o)
	}
	return Start(t, o)
}

func TestExecOnANetwork(t *testing.T) {
	network := Network(t)
	on := func(alias string) func(*Options) {
		return func(o *Options) { o.Network, o.Aliases = network, []string{alias} }
	}
	one, two := sleeper(t, on("one")), sleeper(t, on("two"))
	want := strings.Fields(one.Output(t, "hostname", "-i"))[0]
	for _, name := range []string{"one", one.Name()} {
		if got := strings.Fields(two.Output(t, "getent", "hosts", name)); len(got) == 0 || got[0] != want {
			t.Errorf("two sees %s as %v, want %s", name, got, want)
		}
	}
}

func TestAVolumeOutlivesItsContainer(t *testing.T) {
	volume := Volume(t)
	with := func(o *Options) { o.Mounts = []string{volume + ":/data"} }
	first := sleeper(t, with)
	first.Exec(t, "touch", "/data/mark")
	first.remove(t)
	if got := sleeper(t, with).Output(t, "ls", "/data/mark"); got != "/data/mark" {
		t.Errorf("in the second container: %q", got)
	}
}

func TestNothingIsLeft(t *testing.T) {
	var name string
	t.Run("test", func(t *testing.T) { name = sleeper(t).Name() })
	if name == "" {
		t.Skip("there is no engine")
	}
	if _, err := docker(context.Background(), nil, "inspect", name); err == nil {
		t.Errorf("%s is still there", name)
	}
}

// A process list must not show what Options.Env says.
func TestSecretsAreOnNoCommandLine(t *testing.T) {
	o := Options{Env: map[string]string{"A": "secret"}, Ports: []int{1}, Args: []string{"x"}}
	args, env := o.flags("name", "image", map[int]int{1: 2})
	if all := strings.Join(args, " "); strings.Contains(all, "secret") || !strings.Contains(all, "--publish 127.0.0.1:2:1 image x") {
		t.Errorf("the arguments are %s", all)
	}
	if len(env) != 1 || env[0] != "A=secret" {
		t.Errorf("the environment is %q", env)
	}
}

func TestAwaitSaysWhyAServiceDied(t *testing.T) {
	c := sleeper(t, func(o *Options) {
		o.Args, o.Ports, o.Ping = []string{"false"}, []int{zookeeperPort}, pingZooKeeper
	})
	died := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }()
		c.Await(died)
	}()
	if !strings.Contains(died.fatal, "is exited") {
		t.Errorf("Await says %q", died.fatal)
	}
}

// recorder is a test that notes why it ended.
type recorder struct {
	testing.TB
	fatal string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	panic("ended")
}
