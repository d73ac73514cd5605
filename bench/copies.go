package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rideshare/e2e/report"
)

const (
	backupWanted  = time.Minute // with the most rides
	memoryAllowed = 1.5         // of what a backup of the fewest rides takes: it does not grow with them
)

// operation is one run of the command line.
type operation struct {
	took   time.Duration // from its start to its end
	memory int64         // the most that the process had resident, in bytes
	// Of what backup and restore print.
	Rows    int64  `json:"rows"`
	Content string `json:"content"` // the checksum
}

// rideshare runs the command line on the system. Its progress bar is on the terminal, where there is one.
func (c *containers) rideshare(ctx context.Context, args ...string) (r operation, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.stack.Root, "bin", "rideshare"), append(args, "-o", "json")...)
	cmd.Env = append(os.Environ(), "RIDESHARE_URL="+c.target.URL, "RIDESHARE_SERVICE_TOKEN="+c.target.Token)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return r, fmt.Errorf("%w (make build)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(memoryEvery)
	defer look.Stop()
	for running := true; running; {
		select {
		case <-look.C:
			r.memory = max(r.memory, peakMemory(cmd.Process.Pid))
		case err = <-ended:
			running = false
		}
	}
	r.took = time.Since(begun)
	if err != nil {
		return r, fmt.Errorf("rideshare %s: %w: %s", strings.Join(args, " "), err, out.String())
	}
	return r, json.Unmarshal([]byte(out.String()), &r)
}

// memoryEvery is how often the peak of a process is read. What it adds in the end is not seen.
const memoryEvery = 20 * time.Millisecond

// peakMemory returns the most that a process has had resident so far, in bytes; 0 where it has ended.
// The rusage of a child that has ended would tell as much: but of whichever is larger, it or its parent.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	_, _ = fmt.Sscan(rest, &kib) // 0 where it is a zombie, which has none
	return kib << 10
}

// restored is what came of the backup with the most rides.
type restored struct {
	operation
	same   bool          // the content is that of the backup
	verify time.Duration // how long comparing the replicas took
	unlike error         // nil: all replicas are the same
}

// restore deletes the whole system, starts a new one, and brings the backup back in.
func (c *containers) restore(ctx context.Context, file string, of operation) (restored, error) {
	say("deleting everything ...")
	if err := c.stack.Down(); err != nil {
		return restored{}, err
	}
	fresh, err := startContainers(ctx, c.stack)
	if err != nil {
		return restored{}, err
	}
	say("restoring %d rows ...", of.Rows)
	got, err := fresh.rideshare(ctx, "restore", file)
	if err != nil {
		return restored{}, err
	}
	r := restored{operation: got, same: got.Content == of.Content && got.Rows == of.Rows}
	say("comparing the replicas ...")
	v, err := fresh.rideshare(ctx, "verify", "--timeout", "2m")
	r.verify, r.unlike = v.took, err
	return r, nil
}

// copyRows are the rows of backups and of the restore.
func copyRows(t *report.Table, all []grown, r restored) {
	last := all[len(all)-1].backup
	row, memory := []any{"backup: time, of rows", "at most " + backupWanted.String()}, []any{
		"backup: memory of the process, peak", fmt.Sprintf("at most %g of the first", memoryAllowed)}
	most := 0.0
	for _, m := range all {
		ratio := quotient(float64(m.backup.memory), float64(all[0].backup.memory))
		most = max(most, ratio)
		row = append(row, fmt.Sprintf("%v, %d", m.backup.took.Round(10*time.Millisecond), m.backup.Rows))
		memory = append(memory, fmt.Sprintf("%.0f MB (%.2f)", float64(m.backup.memory)/1e6, ratio))
	}
	t.Add(append(row, verdict(true, last.took <= backupWanted))...)
	t.Add(append(memory, verdict(last.memory > 0, most <= memoryAllowed))...)
	lastColumn := func(what, wanted, figure string, met bool) {
		row := []any{what, wanted}
		for range all[1:] {
			row = append(row, "")
		}
		t.Add(append(row, figure, verdict(true, met))...)
	}
	lastColumn("everything deleted, and restored: time, memory, peak", "the same checksum",
		fmt.Sprintf("%v, %.0f MB", r.took.Round(100*time.Millisecond), float64(r.memory)/1e6), r.same)
	figure := r.verify.Round(10 * time.Millisecond).String()
	if r.unlike != nil {
		figure = r.unlike.Error()
	}
	lastColumn("`rideshare verify` after that: time", "all replicas are the same", figure, r.unlike == nil)
}
