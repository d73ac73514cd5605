package load

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestShare: whoever computes beside it takes a part of the processors away.
func TestShare(t *testing.T) {
	// Three loops more for each processor.
	var stop atomic.Bool
	var others sync.WaitGroup
	for range 3 * runtime.GOMAXPROCS(0) {
		others.Go(func() {
			for n := 0; !stop.Load(); n++ {
				continue
			}
		})
	}
	beside := Share()
	stop.Store(true)
	others.Wait()
	if alone := Share(); beside <= 0 || beside > 0.5 || alone <= 0 || alone > 1 {
		t.Errorf("a share of %.2f beside three others, and of %.2f alone", beside, alone)
	}
}
