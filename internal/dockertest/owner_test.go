package dockertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestOwnerIsReadBack(t *testing.T) {
	me := self()
	got, err := parseOwner(me.String())
	if err != nil {
		t.Fatal(err)
	}
	me.made = me.made.Truncate(time.Second)
	if !got.made.Equal(me.made) || got.host != me.host || got.pid != me.pid || got.start != me.start {
		t.Errorf("%v was read back as %v", me, got)
	}
	for _, bad := range []string{"", "1", "host/x/1/2", "host/1/1/y", "a/1/2/3/4"} {
		if _, err := parseOwner(bad); err == nil {
			t.Errorf("%q was taken for an owner", bad)
		}
	}
}

func TestGone(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	me := owner{host: "here", pid: 7, start: "70", made: now}
	processes := map[int]string{7: "70", 8: "80"}
	alive := func(pid int) (string, bool) {
		start, ok := processes[pid]
		return start, ok
	}
	for name, tt := range map[string]struct {
		o    owner
		gone bool
	}{
		"myself":                             {me, false},
		"a process that runs":                {owner{"here", 8, "80", now.Add(-24 * time.Hour)}, false},
		"a process that ended":               {owner{"here", 9, "90", now}, true},
		"a number that was given away again": {owner{"here", 8, "79", now}, true},
		"another machine, lately":            {owner{"there", 9, "90", now.Add(-time.Hour)}, false},
		"another machine, long ago":          {owner{"there", 8, "80", now.Add(-3 * time.Hour)}, true},
	} {
		if got := tt.o.gone(me, alive); got != tt.gone {
			t.Errorf("%s: gone is %t", name, got)
		}
	}
}

func TestAlive(t *testing.T) {
	if _, ok := alive(os.Getpid()); !ok {
		t.Error("this process is not alive")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	start, ok := alive(child.Process.Pid)
	if again, _ := alive(child.Process.Pid); !ok || again != start {
		t.Errorf("a child: %q, then %q, %t", start, again, ok)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if _, ok := alive(child.Process.Pid); ok {
		t.Error("a killed child is alive")
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	Require(t)
	img := Image(t, "zookeeper")
	dead := self()
	dead.start += "0" // its number belongs to another process now
	create := map[string][]string{
		"container": {"container", "create", "--name"},
		"network":   {"network", "create"},
		"volume":    {"volume", "create", "--name"},
	}
	for o, name := range map[owner]string{dead: "dockertest-of-the-dead", self(): "dockertest-of-the-living"} {
		for kind, args := range create {
			args = append(args, name, "--label", label+"="+o.String())
			if kind == "container" {
				args = append(args, img)
			}
			do(t, args...)
			t.Cleanup(func() {
				_, _ = docker(context.Background(), nil, "rm", "--volumes", name)
				_, _ = docker(context.Background(), nil, "network", "rm", name)
				_, _ = docker(context.Background(), nil, "volume", "rm", name)
			})
		}
	}
	removeLeftovers(t.Context())
	for kind := range create {
		for name, want := range map[string]bool{"dockertest-of-the-dead": false, "dockertest-of-the-living": true} {
			if _, err := docker(t.Context(), nil, kind, "inspect", name); (err == nil) != want {
				t.Errorf("%s %s: found is %t", kind, name, !want)
			}
		}
	}
}
