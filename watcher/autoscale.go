package watcher

import (
	"errors"
	"fmt"
	"time"

	"rideshare/internal/registry"
)

// ScaleRule is the autoscaler's rule. The defaults are the published one: every 2 minutes from
// the first read, one slave for every 20 reads of that time, and at least one.
type ScaleRule struct {
	Period        time.Duration // length of a window
	ReadsPerSlave uint64        // reads of a window that one slave is for
	Min, Max      int           // limits of the number of slaves
}

// DefaultScaleRule returns the published rule, within the limits 1 and 5.
func DefaultScaleRule() ScaleRule {
	return ScaleRule{Period: 2 * time.Minute, ReadsPerSlave: 20, Min: 1, Max: 5}
}

// Check returns what is wrong with the rule, and with the number of slaves to begin with.
func (r ScaleRule) Check(slaves int) error {
	switch {
	case r.Max < 1:
		return fmt.Errorf("RIDESHARE_MAX_SLAVES is %d: it must be at least 1", r.Max)
	case r.Min < 1 || r.Min > r.Max:
		return fmt.Errorf("RIDESHARE_MIN_SLAVES is %d: it must be from 1 to RIDESHARE_MAX_SLAVES, which is %d", r.Min, r.Max)
	case slaves < 1 || slaves > r.Max:
		return fmt.Errorf("RIDESHARE_SLAVES is %d: it must be from 1 to RIDESHARE_MAX_SLAVES, which is %d", slaves, r.Max)
	case r.Period <= 0:
		return fmt.Errorf("RIDESHARE_SCALE_PERIOD is %s: it must be above 0s", r.Period)
	case r.ReadsPerSlave == 0:
		return errors.New("RIDESHARE_SCALE_READS is 0: it must be at least 1")
	}
	return nil
}

// Slaves returns how many slaves a window with that many reads asks for.
func (r ScaleRule) Slaves(reads uint64) int {
	// Compared before it is converted: a huge number of reads is no small number of slaves.
	if reads/r.ReadsPerSlave >= uint64(r.Max) {
		return r.Max
	}
	n := int((reads + r.ReadsPerSlave - 1) / r.ReadsPerSlave)
	return min(max(n, 1, r.Min), r.Max)
}

// autoscaler counts the reads of the present window.
type autoscaler struct {
	rule  ScaleRule
	seen  map[string]uint64 // the last count of each worker there ever was: it may be away for a while
	reads uint64
	end   time.Time // of the window; zero before the first read
}

func newAutoscaler(rule ScaleRule) *autoscaler {
	return &autoscaler{rule: rule, seen: map[string]uint64{}}
}

// observe takes note of the counts, and returns the number of slaves when a window has ended.
func (a *autoscaler) observe(now time.Time, members []registry.Member) (int, bool) {
	for _, m := range members {
		if before := a.seen[m.ID]; m.Reads > before {
			a.reads += m.Reads - before
		}
		a.seen[m.ID] = m.Reads
	}
	if a.end.IsZero() {
		if a.reads > 0 {
			a.end = now.Add(a.rule.Period)
		}
		return 0, false
	}
	if now.Before(a.end) {
		return 0, false
	}
	slaves := a.rule.Slaves(a.reads)
	a.reads, a.end = 0, a.end.Add(a.rule.Period)
	if a.end.Before(now) {
		a.end = now.Add(a.rule.Period) // the machine slept
	}
	return slaves, true
}

// next returns when the window ends; zero where none has begun.
func (a *autoscaler) next() time.Time { return a.end }
