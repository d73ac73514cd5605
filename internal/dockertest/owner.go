package dockertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// label marks what this package made. Its value is the owner.
const label = "rideshare.dockertest"

// grace is how long the things of an owner that cannot be asked (it ran on another machine, with the
// same engine) are left alone. It is longer than any test binary runs.
const grace = 2 * time.Hour

// owner is the process that made something.
type owner struct {
	host  string
	pid   int
	start string // what tells it from a later process of the same number; "" where that is unknown
	made  time.Time
}

func self() owner {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	start, _ := alive(os.Getpid())
	return owner{host: host, pid: os.Getpid(), start: start, made: time.Now()}
}

func (o owner) String() string {
	return fmt.Sprintf("%s/%d/%s/%d", o.host, o.pid, o.start, o.made.Unix())
}

func parseOwner(s string) (owner, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 4 {
		return owner{}, fmt.Errorf("dockertest: %q is no owner", s)
	}
	pid, err := strconv.Atoi(parts[1])
	made, err2 := strconv.ParseInt(parts[3], 10, 64)
	if err := errors.Join(err, err2); err != nil {
		return owner{}, fmt.Errorf("dockertest: %q is no owner: %w", s, err)
	}
	return owner{host: parts[0], pid: pid, start: parts[2], made: time.Unix(made, 0)}, nil
}

// gone says whether o has ended, as far as the process me can know.
func (o owner) gone(me owner, alive func(pid int) (start string, ok bool)) bool {
	if o.host != me.host {
		return me.made.Sub(o.made) > grace
	}
	start, ok := alive(o.pid)
	return !ok || start != o.start
}

// alive returns when a process started, in the units of its kernel, and whether it is there.
func alive(pid int) (start string, ok bool) {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return "", false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", true // a system without /proc
	}
	// The name, in parentheses, may contain anything; the start is the 20th field after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return "", true
	}
	return fields[19], true
}

// removeLeftovers removes what owners that are gone have left. What cannot be removed now is left to
// the next run.
func removeLeftovers(ctx context.Context) {
	me := self()
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "--all"}, []string{"rm", "--force", "--volumes"}},
		{[]string{"network", "ls"}, []string{"network", "rm"}},
		{[]string{"volume", "ls"}, []string{"volume", "rm"}},
	} {
		id := ".ID"
		if kind.list[0] == "volume" {
			id = ".Name"
		}
		out, err := docker(ctx, nil, append(kind.list, "--filter", "label="+label,
			"--format", "{{"+id+"}} {{.Label \""+label+"\"}}")...)
		if err != nil {
			continue
		}
		for line := range strings.Lines(out) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			if o, err := parseOwner(value); err == nil && o.gone(me, alive) {
				_, _ = docker(ctx, nil, append(kind.remove, name)...)
			}
		}
	}
}
