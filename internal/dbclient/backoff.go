package dbclient

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 20 * time.Millisecond
	mostPause  = time.Second
)

// backoff is the pause between attempts: it doubles from 20 ms to 1 s, and half of it is chance, so
// that callers who failed together do not come back together.
type backoff struct{ next time.Duration }

// wait waits for at least that long, and returns false, without waiting, where the deadline of ctx
// comes first.
func (b *backoff) wait(ctx context.Context, least time.Duration) bool {
	b.next = min(max(2*b.next, firstPause), mostPause)
	pause := least + b.next/2 + rand.N(b.next/2)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
