package workers

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"rideshare/internal/replog"
)

// barriers lets any number of readers wait until the replica has applied everything that was in
// the log when they asked. All that ask while one barrier is under way share the next one.
type barriers struct {
	mu      sync.Mutex
	waiting chan struct{} // closed when the barrier that those waiting share has passed; nil: nobody waits
	wake    chan struct{} // somebody waits
	nonce   string        // of the barrier under way
	passed  chan struct{} // closed when it has been read back
}

func newBarriers() *barriers { return &barriers{wake: make(chan struct{}, 1)} }

// join returns a channel that is closed once a barrier which was appended after this call has
// been read back, with everything before it applied.
func (b *barriers) join() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = make(chan struct{})
		b.wake <- struct{}{}
	}
	return b.waiting
}

// pass says that the replica has read the barrier nonce and applied everything before it.
func (b *barriers) pass(nonce string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if nonce != "" && nonce == b.nonce {
		b.nonce = ""
		close(b.passed)
	}
}

// own reports whether the barrier under way is the one with that nonce.
func (b *barriers) own(nonce string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return nonce != "" && nonce == b.nonce
}

// run appends barriers for those that wait.
func (b *barriers) run(ctx context.Context, log replog.Log, s *status) error {
	for {
		select {
		case <-b.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		b.mu.Lock()
		group := b.waiting
		b.waiting = nil
		b.mu.Unlock()
		for !b.attempt(ctx, log, s) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		close(group)
	}
}

// attempt appends a barrier, the same bytes until it is read back, and reports whether it was: whichever
// comes back first will do, however long that takes. It gives up when the replica follows another log
// meanwhile.
func (b *barriers) attempt(ctx context.Context, log replog.Log, s *status) bool {
	_, turned := s.turn()
	nonce, passed := b.begin()
	record := replog.Record{Kind: replog.BarrierKind, Nonce: nonce}
	data := record.Encode()
	for {
		wait := retryEvery
		appending, cancel := context.WithTimeout(ctx, retryEvery)
		if err := log.Append(appending, data); err != nil {
			wait = 50 * time.Millisecond
		}
		cancel()
		select {
		case <-passed:
			return true
		case <-turned:
			return false
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

func (b *barriers) begin() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nonce, b.passed = uuid.NewString(), make(chan struct{})
	return b.nonce, b.passed
}
