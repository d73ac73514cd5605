// Package stopwatch measures how long something keeps its caller waiting, on machines that are shared: times
// in which this process was not running at all do not count. It is for tests with bounds.
package stopwatch

import (
	"sync"
	"time"
)

const (
	tick = 5 * time.Millisecond
	// away is from which gap between two ticks the process was not running.
	away = 25 * time.Millisecond
)

// Watch is a stopwatch that runs.
type Watch struct {
	begun time.Time
	stop  chan struct{}
	work  sync.WaitGroup
	lost  time.Duration // what does not count
}

// Start starts a stopwatch. Took has to be called.
func Start() *Watch {
	w := &Watch{begun: time.Now(), stop: make(chan struct{})}
	w.work.Go(w.run)
	return w
}

func (w *Watch) run() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := w.begun
	look := func() {
		now := time.Now()
		if gap := now.Sub(last); gap > away {
			w.lost += gap - tick
		}
		last = now
	}
	defer look()
	for {
		select {
		case <-ticker.C:
			look()
		case <-w.stop:
			return
		}
	}
}

// Took stops it and returns the time since Start in which the process was running, to some 25 ms.
func (w *Watch) Took() time.Duration {
	close(w.stop)
	w.work.Wait()
	return time.Since(w.begun) - w.lost
}
