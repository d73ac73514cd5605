package rabbitmq

import (
	"testing"
	"time"
)

// TestCredit: a fifth of the credit is acknowledged at a time, and nothing is held for longer than holdTime.
func TestCredit(t *testing.T) {
	start := time.Now()
	c := credit{limit: 500}
	for _, step := range []struct {
		tag   uint64 // taken
		after time.Duration
		due   bool
	}{
		{1, 0, false}, {99, time.Second, false}, {100, time.Second, true}, // is acknowledged
		{101, 2 * time.Second, false}, {102, holdTime, false}, {103, holdTime + 2*time.Second, true},
	} {
		now := start.Add(step.after)
		c.take(step.tag, now)
		if due := c.due(now); due != step.due {
			t.Errorf("record %d after %v: due is %v", step.tag, step.after, due)
		} else if due {
			c.acked = c.taken
		}
	}
	if c.due(start.Add(time.Hour)) {
		t.Error("there is nothing to acknowledge")
	}
	if c = (credit{limit: 1}); c.due(start) {
		t.Error("nothing was taken")
	}
	if c.take(1, start); !c.due(start) {
		t.Error("the broker sends no more before this is acknowledged")
	}
}
