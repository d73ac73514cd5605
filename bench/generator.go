package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed generator.lua
var script []byte

// generator puts load on systems. See docs/decisions/0014-load-generator.md.
type generator struct{ folder string }

// newGenerator returns a generator with a folder for its files.
func newGenerator(folder string) (*generator, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, fmt.Errorf("%w: install wrk (`make wrk` does, on Debian and Ubuntu)", err)
	}
	return &generator{folder}, os.WriteFile(filepath.Join(folder, "generator.lua"), script, 0o600)
}

// sample is what one load has measured.
type sample struct {
	PerSecond     float64
	P50, P90, P99 time.Duration
	Requests      int
	Failed        int           // answered with another status than expected, or not at all
	Example       string        // of those
	Generator     time.Duration // processor time that the load itself has cost
}

// variety is how many different requests a load has, which it repeats.
const variety = 5000

// run puts a workload on a system, by so many connections, each of which sends its next request when
// the last one is answered. Whole seconds only. What is warm-up comes first, and is not counted.
func (g *generator) run(ctx context.Context, s *system, w workload, connections int, warmUp, measured time.Duration) (sample, error) {
	var requests bytes.Buffer
	for n := range variety {
		r := w.request(s, n)
		fmt.Fprintf(&requests, "%d\n%s", len(r), r)
	}
	file := filepath.Join(g.folder, "requests")
	if err := os.WriteFile(file, requests.Bytes(), 0o600); err != nil {
		return sample{}, err
	}
	if warmUp > 0 {
		if _, err := g.wrk(ctx, s, w, connections, warmUp, file); err != nil {
			return sample{}, err
		}
	}
	return g.wrk(ctx, s, w, connections, measured, file)
}

func (g *generator) wrk(ctx context.Context, s *system, w workload, connections int, d time.Duration, file string) (sample, error) {
	cmd := exec.CommandContext(ctx, "wrk", "--threads=1", fmt.Sprint("--connections=", connections),
		fmt.Sprintf("--duration=%ds", int(d.Seconds())), "--timeout=15s",
		"--script="+filepath.Join(g.folder, "generator.lua"), s.target.URL, "--", fmt.Sprint(w.status), file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	m, err := parse(out)
	m.Generator = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return m, err
}

// parse reads the last line, which the script has written.
func parse(out []byte) (sample, error) {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var r struct {
		Micros, Requests, Wrong, Broken int
		P50, P90, P99                   int // microseconds
		Example                         string
	}
	if err := json.Unmarshal(lines[len(lines)-1], &r); err != nil || r.Micros == 0 {
		return sample{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	micros := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	return sample{
		PerSecond: float64(r.Requests-r.Wrong) / micros(r.Micros).Seconds(),
		P50:       micros(r.P50), P90: micros(r.P90), P99: micros(r.P99),
		Requests: r.Requests, Failed: r.Wrong + r.Broken, Example: r.Example,
	}, nil
}
