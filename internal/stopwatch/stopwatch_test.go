package stopwatch_test

import (
	"os/exec"
	"testing"
	"time"

	"rideshare/internal/stopwatch"
)

// TestTook: the time in which the process is stopped does not count, and a wait does.
func TestTook(t *testing.T) {
	w := stopwatch.Start()
	begun := time.Now()
	if out, err := exec.Command("sh", "-c", "kill -STOP $PPID; sleep 1; kill -CONT $PPID").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := time.Since(begun)
	if took := w.Took(); all < time.Second || took > all-800*time.Millisecond {
		t.Errorf("%v of %v, one second of which the process was stopped", took, all)
	}
	var took time.Duration
	for tries := 0; took < 90*time.Millisecond && tries < 50; tries++ { // the machine may stall now, too
		w = stopwatch.Start()
		<-time.After(100 * time.Millisecond)
		took = w.Took()
	}
	if took < 90*time.Millisecond {
		t.Errorf("%v of a wait of 100 ms", took)
	}
}
