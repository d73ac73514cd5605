package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
)

const (
	costConnections = 64
	costTime        = 4 * time.Second // of a measurement, at least: the times in /proc are coarse
	// tick is the unit of the times in /proc, USER_HZ, which is the same on every Linux.
	tick = 10 * time.Millisecond
)

// part is what of a system has a processor time of its own: some containers.
type part struct {
	name       string
	containers []string
}

// parts returns those of our system, in the order of a request's way.
func (c *containers) parts(ctx context.Context) ([]part, error) {
	var all []part
	for _, service := range []string{"gateway", "rides", "orchestrator", "rabbitmq"} {
		id, err := c.stack.Service(service)
		if err != nil {
			return nil, err
		}
		all = append(all, part{service, []string{id}})
	}
	t, err := c.topology(ctx)
	if err != nil {
		return nil, err
	}
	master, masterDB, slaves, slaveDBs := part{name: "master"}, part{name: "master's MySQL"}, part{name: "both slaves"}, part{name: "both slaves' MySQLs"}
	for _, w := range t.Workers {
		worker, database := c.stack.Containers(w)
		of, ofDB := &slaves, &slaveDBs
		if w.ID == t.Master {
			of, ofDB = &master, &masterDB
		}
		of.containers, ofDB.containers = append(of.containers, worker), append(ofDB.containers, database)
	}
	rest := part{name: "ZooKeeper and watcher"}
	for _, service := range []string{"zookeeper", "watcher"} {
		id, err := c.stack.Service(service)
		if err != nil {
			return nil, err
		}
		rest.containers = append(rest.containers, id)
	}
	return append(all, master, masterDB, slaves, slaveDBs, rest), nil
}

// usage is what processes have used since they began.
type usage struct {
	time     time.Duration // of a processor
	switches int64         // of their threads: how often one was taken off a processor, mostly as it waited
}

func (u usage) minus(v usage) usage { return usage{u.time - v.time, u.switches - v.switches} }

func (u usage) plus(v usage) usage { return usage{u.time + v.time, u.switches + v.switches} }

// spent returns what all processes of the part have used.
func (p part) spent() (usage, error) {
	var sum usage
	for _, container := range p.containers {
		out, err := stack.Docker("top", container, "-eo", "pid")
		if err != nil {
			return usage{}, err
		}
		for _, pid := range strings.Fields(out)[1:] { // after the heading
			u, err := processUsage(filepath.Join("/proc", pid))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				continue // a health check that is over
			}
			if err != nil {
				return usage{}, err
			}
			sum = sum.plus(u)
		}
	}
	return sum, nil
}

// processUsage reads what is in /proc of a process and of its threads. The switches of threads that have
// ended are not in it.
func processUsage(folder string) (usage, error) {
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return usage{}, err
	}
	u := usage{}
	if u.time, err = processTime(string(stat)); err != nil {
		return usage{}, err
	}
	threads, err := filepath.Glob(filepath.Join(folder, "task", "*", "status"))
	if err != nil {
		return usage{}, err
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has just ended
		}
		if err != nil {
			return usage{}, err
		}
		n, err := threadSwitches(string(status))
		if err != nil {
			return usage{}, err
		}
		u.switches += n
	}
	return u, nil
}

// threadSwitches reads /proc/PID/task/TID/status: how often the thread gave up its processor, and how often
// the kernel took it away.
func threadSwitches(status string) (sum int64, err error) {
	found := 0
	for line := range strings.SplitSeq(status, "\n") {
		name, value, _ := strings.Cut(line, ":")
		if name != "voluntary_ctxt_switches" && name != "nonvoluntary_ctxt_switches" {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/task/TID/status: %w", err)
		}
		sum += n
		found++
	}
	if found != 2 {
		return 0, fmt.Errorf("/proc/PID/task/TID/status is %q", status)
	}
	return sum, nil
}

// processTime reads /proc/PID/stat: pid (name) state ..., of which the 14th and 15th are the times of
// the process itself, in its own code and in the kernel's.
func processTime(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat is %q", stat)
	}
	var sum time.Duration
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// perRequest is the usage of one request.
type perRequest struct {
	time     time.Duration
	switches float64
}

// String is how tables show it.
func (r perRequest) String() string {
	return fmt.Sprintf("%d µs, %.1f", r.time.Microseconds(), r.switches)
}

// by divides a usage among requests.
func (u usage) by(requests int) perRequest {
	n := max(requests, 1)
	return perRequest{u.time / time.Duration(n), float64(u.switches) / float64(n)}
}

// usages are what requests of a workload took of each part of a system, and in all, by round.
type usages map[cell][]map[string]perRequest

// costs are what requests took of all parts of a system, by round.
type costs map[cell][]perRequest

// median returns the median of each figure of a cell, and false where there is none.
func (c costs) median(of cell) (perRequest, bool) {
	all := c[of]
	if len(all) == 0 {
		return perRequest{}, false
	}
	return perRequest{
		time:     middle(all, func(r perRequest) time.Duration { return r.time }),
		switches: middle(all, func(r perRequest) float64 { return r.switches }),
	}, true
}

// of returns what all parts took, or one of them.
func (u usages) of(part string) costs {
	c := costs{}
	for cell, rounds := range u {
		for _, used := range rounds {
			if r, ok := used[part]; ok {
				c[cell] = append(c[cell], r)
			}
		}
	}
	return c
}

// costed are the workloads whose cost is measured.
func costed() []workload {
	w := workloads()
	return []workload{w[0], w[1], w[3]}
}

// divided is a system with its parts.
type divided struct {
	*system
	parts []part
}

// divide returns the systems whose parts are known.
func (f *field) divide(ctx context.Context, l *lab) ([]divided, error) {
	parts, err := f.ours.parts(ctx)
	if err != nil {
		return nil, err
	}
	name := func(containers ...string) (full []string) {
		for _, c := range containers {
			full = append(full, l.name+"-"+c)
		}
		return full
	}
	return []divided{
		{f.ours.system, parts},
		{f.single, []part{{"server", name("server")}, {"MySQL", name("single")}}},
		{f.group.system, []part{{"server", name("group-server")}, {"all MySQLs", name("node1", "node2", "node3")}}},
	}, nil
}

// usages measures in each round what requests cost where, at 64 connections, and a write of ours at 1.
func (f *field) usages(ctx context.Context, o options, g *generator, systems []divided) (usages, error) {
	u := usages{}
	measure := func(s divided, w workload, n int) error {
		_, used, err := s.measure(ctx, g, w, n, max(o.measured, costTime), s.parts)
		if err != nil {
			return err
		}
		c := cell{s.name, w.name, n}
		u[c] = append(u[c], used)
		say("%s: %v of a processor and %.0f switches a request", c, used[total].time.Round(time.Microsecond), used[total].switches)
		return nil
	}
	for range o.rounds {
		for _, w := range costed() {
			for _, s := range systems {
				if w.levelled && !s.levels {
					continue
				}
				if err := measure(s, w, costConnections); err != nil {
					return nil, err
				}
			}
		}
		if err := measure(systems[0], costed()[0], 1); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// endedThreads says what the switches leave out.
const endedThreads = "The switches of a thread that ends meanwhile are not counted, and what it had before is taken off: " +
	"so those of a MySQL whose connections come and go are too few."

// table is that of the usages, at 64 connections.
func (u usages) table(systems []divided) report.Table {
	t := report.Table{Columns: []string{"processor time and context switches of a request, at 64 connections", "of"}}
	for _, w := range costed() {
		t.Columns = append(t.Columns, w.name)
	}
	t.Note = endedThreads
	for _, s := range systems {
		for _, p := range append(slices.Clone(s.parts), part{name: "generator"}, part{name: total}) {
			row := []any{s.name, p.name}
			for _, w := range costed() {
				text := ""
				if r, ok := u.of(p.name).median(cell{s.name, w.name, costConnections}); ok {
					text = r.String()
				}
				row = append(row, text)
			}
			t.Add(row...)
		}
	}
	return t
}

const total = "all of it"

// measure puts a workload on the system, and returns what a request took of each part, of the generator, and in
// all.
func (s *system) measure(ctx context.Context, g *generator, w workload, connections int, d time.Duration, parts []part) (sample, map[string]perRequest, error) {
	before, err := spent(parts)
	if err != nil {
		return sample{}, nil, err
	}
	m, err := g.run(ctx, s, w, connections, 0, d)
	if err != nil {
		return sample{}, nil, err
	}
	after, err := spent(parts)
	if err != nil {
		return sample{}, nil, err
	}
	sum := usage{time: m.Generator}
	used := map[string]perRequest{"generator": sum.by(m.Requests)}
	for i, p := range parts {
		u := after[i].minus(before[i])
		used[p.name] = u.by(m.Requests)
		sum = sum.plus(u)
	}
	used[total] = sum.by(m.Requests)
	return m, used, nil
}

func spent(parts []part) ([]usage, error) {
	var all []usage
	for _, p := range parts {
		u, err := p.spent()
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}
