package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// processors is how much time the machine's processors have spent since it was started, in ticks.
type processors struct{ total, idle, stolen uint64 }

// readProcessors reads /proc/stat.
func readProcessors() (processors, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return processors{}, err
	}
	return parseProcessors(string(data))
}

// parseProcessors reads the first line: cpu user nice system idle iowait irq softirq steal ...
func parseProcessors(stat string) (p processors, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return p, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, field := range fields[1:9] { // what follows, the time of guests, is in the first of them too
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return p, fmt.Errorf("/proc/stat: %w", err)
		}
		p.total += ticks
		switch i {
		case 3, 4:
			p.idle += ticks
		case 7:
			p.stolen += ticks
		}
	}
	return p, nil
}

// since returns which shares of all time, in percent, the processors were busy, and were given to other
// machines by the host.
func (p processors) since(before processors) (busy, stolen float64) {
	total := float64(p.total - before.total)
	if total == 0 {
		return 0, 0
	}
	stolen = 100 * float64(p.stolen-before.stolen) / total
	return 100 - 100*float64(p.idle-before.idle)/total - stolen, stolen
}

// idleCost measures how busy the processors are while everything is up and nobody asks for anything.
func idleCost(ctx context.Context, d time.Duration) (busy float64, err error) {
	before, err := readProcessors()
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(d): // it is the measurement
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	after, err := readProcessors()
	busy, _ = after.since(before)
	return busy, err
}
