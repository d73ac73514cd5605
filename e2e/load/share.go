package load

import (
	"runtime"
	"sync"
	"time"
)

const (
	watched = time.Second
	// away is from which gap on a busy loop was not running.
	away = 100 * time.Microsecond
)

// Share returns which part of the machine's processors this process gets, when for a second it wants
// all of them: 1 on a machine of its own, 0.5 where the host or other programs take half of it.
func Share() float64 {
	var mu sync.Mutex
	var ran, all time.Duration
	var loops sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		loops.Go(func() {
			var missed time.Duration
			begun := time.Now()
			for last := begun; last.Sub(begun) < watched; {
				now := time.Now()
				if gap := now.Sub(last); gap > away {
					missed += gap
				}
				last = now
			}
			total := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			ran, all = ran+total-missed, all+total
		})
	}
	loops.Wait()
	return float64(ran) / float64(all)
}
