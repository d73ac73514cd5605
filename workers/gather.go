package workers

import (
	"context"
	"time"

	"rideshare/internal/bus"
)

// maxGather bounds how long the master waits for more requests. At 64 and at 256 callers it is about as long as
// the replies take to reach them and their next requests to come back.
const maxGather = 10 * time.Millisecond

// gatherer decides how long the master waits for more requests before it makes an entry of those that it has. An
// entry costs nearly the same whatever it carries: a transaction in each of the databases, an append to the log, and
// the wake-ups of everybody on the way.
//
// Its law: if the last entry answered n > 1 requests, their callers are about to send their next ones, so the master
// waits until it has as many requests as it has just answered and as were waiting then, but no longer than the last
// entry took, and no longer than maxGather after it. If the last entry answered one request, it does not wait: so a
// single caller never does, not even after a burst, and two callers who take turns do not either.
type gatherer struct {
	expected int       // requests that the next entry should carry; at most 1: it waits for none
	until    time.Time // when it stops waiting for them
}

// answered notes that an entry has answered so many requests in that time, and that so many wait.
func (g *gatherer) answered(requests, waiting int, took time.Duration) {
	*g = gatherer{}
	if requests > 1 {
		g.expected = min(requests+waiting, maxBatch)
		g.until = time.Now().Add(min(took, maxGather))
	}
}

// gather takes what is waiting, and waits for more as the law says. It handles what the log brings meanwhile. An error
// means that the requests go back to their queue.
func (r *replica) gather(ctx context.Context, first bus.Delivery, more <-chan bus.Delivery) ([]bus.Delivery, error) {
	batch, size := []bus.Delivery{first}, len(first.Body)
	var over <-chan time.Time // nil until it waits
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case d, ok := <-more:
			if !ok {
				return batch, nil
			}
			batch, size = append(batch, d), size+len(d.Body)
			continue
		default:
		}
		left := time.Until(r.gatherer.until)
		if len(batch) >= r.gatherer.expected || left <= 0 {
			break
		}
		if over == nil {
			timer := time.NewTimer(left)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case d, ok := <-more:
			if !ok {
				return batch, nil
			}
			batch, size = append(batch, d), size+len(d.Body)
		case events, ok := <-r.follower.Events():
			if !ok {
				return nil, r.follower.Err()
			}
			r.pending = append(r.pending, events...)
			for len(r.pending) > 0 {
				if err := r.observeNext(ctx); err != nil {
					return nil, err
				}
			}
		case <-over:
			return batch, nil
		case <-r.yields:
			return nil, errYielded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return batch, nil
}
