package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
)

const (
	costConnections = 64
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

// spent returns the processor time of all processes of the part since they began.
func (p part) spent() (time.Duration, error) {
	var sum time.Duration
	for _, container := range p.containers {
		out, err := stack.Docker("top", container, "-eo", "pid")
		if err != nil {
			return 0, err
		}
		for _, pid := range strings.Fields(out)[1:] { // after the heading
			stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
			if os.IsNotExist(err) {
				continue // a health check that is over
			}
			if err != nil {
				return 0, err
			}
			d, err := processTime(string(stat))
			if err != nil {
				return 0, err
			}
			sum += d
		}
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

// costs is the processor time of a request, by part and workload.
type costs map[[2]string]time.Duration

// costTable measures what requests cost where, of the systems whose parts are given.
func (f *field) costTable(ctx context.Context, o options, g *generator, l *lab) (report.Table, error) {
	w := workloads()
	measured := []workload{w[0], w[1], w[3]}
	t := report.Table{Columns: []string{"processor time of a request, at 64 connections", "of"}}
	for _, w := range measured {
		t.Columns = append(t.Columns, w.name)
	}
	oursParts, err := f.ours.parts(ctx)
	if err != nil {
		return t, err
	}
	name := func(containers ...string) (full []string) {
		for _, c := range containers {
			full = append(full, l.name+"-"+c)
		}
		return full
	}
	for _, s := range []struct {
		*system
		parts []part
	}{
		{f.ours.system, oursParts},
		{f.single, []part{{"server", name("server")}, {"MySQL", name("single")}}},
		{f.group.system, []part{{"server", name("group-server")}, {"all MySQLs", name("node1", "node2", "node3")}}},
	} {
		c, err := s.cost(ctx, o, g, measured, s.parts)
		if err != nil {
			return t, err
		}
		for _, p := range append(s.parts, part{name: "generator"}, part{name: total}) {
			row := []any{s.name, p.name}
			for _, w := range measured {
				if d, ok := c[[2]string{p.name, w.name}]; ok {
					row = append(row, fmt.Sprintf("%d µs", d.Microseconds()))
				} else {
					row = append(row, "")
				}
			}
			t.Add(row...)
		}
	}
	return t, nil
}

const total = "all of it"

// cost measures what requests cost each of the parts.
func (s *system) cost(ctx context.Context, o options, g *generator, all []workload, parts []part) (costs, error) {
	c := costs{}
	spent := func() ([]time.Duration, error) {
		var times []time.Duration
		for _, p := range parts {
			d, err := p.spent()
			if err != nil {
				return nil, err
			}
			times = append(times, d)
		}
		return times, nil
	}
	for _, w := range all {
		if w.levelled && !s.levels {
			continue
		}
		before, err := spent()
		if err != nil {
			return nil, err
		}
		m, err := g.run(ctx, s, w, costConnections, 0, max(o.measured, 4*time.Second))
		if err != nil {
			return nil, err
		}
		after, err := spent()
		if err != nil {
			return nil, err
		}
		requests := time.Duration(max(m.Requests, 1))
		c[[2]string{"generator", w.name}] = m.Generator / requests
		sum := m.Generator
		for i, p := range parts {
			c[[2]string{p.name, w.name}] = (after[i] - before[i]) / requests
			sum += after[i] - before[i]
		}
		c[[2]string{total, w.name}] = sum / requests
		say("%s: %s costs %v of a processor", s.name, w.name, (sum / requests).Round(time.Microsecond))
	}
	return c, nil
}
