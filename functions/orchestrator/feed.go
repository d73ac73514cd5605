package orchestrator

import (
	"context"
	"sync"
	"time"
)

// feed reads something once a period and hands it to all that listen: one read, whatever their
// number, and none while nobody listens.
type feed struct {
	read   func(context.Context) []byte
	period time.Duration

	mu        sync.Mutex
	listeners map[chan []byte]struct{}
	last      []byte // what was read last; nil while nobody listens
	stop      context.CancelFunc
}

// listen returns a channel on which everything arrives that is read from now on, and what was read
// last. Who is slow misses some, and gets the newest. The caller calls leave when it has done.
func (f *feed) listen() (reads <-chan []byte, leave func()) {
	c := make(chan []byte, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil {
		c <- f.last
	}
	if len(f.listeners) == 0 {
		ctx, cancel := context.WithCancel(context.Background())
		f.listeners, f.stop = map[chan []byte]struct{}{}, cancel
		go f.run(ctx)
	}
	f.listeners[c] = struct{}{}
	return c, func() { f.leave(c) }
}

func (f *feed) leave(c chan []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.listeners, c)
	if len(f.listeners) == 0 {
		f.stop()
		f.last = nil
	}
}

// run reads until ctx ends.
func (f *feed) run(ctx context.Context) {
	tick := time.NewTicker(f.period)
	defer tick.Stop()
	for {
		// A read that hangs must not hide that it does: read answers with what is wrong.
		f.tell(ctx, f.read(ctx))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (f *feed) tell(ctx context.Context, news []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return // by now others may listen, to another run
	}
	f.last = news
	for c := range f.listeners {
		select {
		case <-c:
		default:
		}
		c <- news
	}
}
