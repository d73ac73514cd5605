package workers

import (
	"context"
	"errors"
	"sync"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/db"
	"rideshare/internal/store"
	"rideshare/internal/tracing"
)

// Priorities of the consumers of reads: the master answers only what no slave takes, and a replica
// whose disk is full, so that it falls behind, only what no other replica takes.
const (
	fullPriority   = -10
	masterPriority = 0
	slavePriority  = 10
)

// lingering is how long reads under way go on when the subscription ends. Then others answer them.
const lingering = time.Second

func isBusFault(err error) bool { return errors.Is(err, bus.ErrUnavailable) }

// serveReads answers reads whenever the worker is serving.
func (w *Worker) serveReads(ctx context.Context) error {
	for {
		v, turned := w.status.turn()
		if !v.serving() || v.Aside {
			select {
			case <-turned:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := w.consumeReads(ctx, v, turned); err != nil {
			return err
		}
	}
}

// consumeReads answers reads until the worker's role or state changes, or the subscription ends.
func (w *Worker) consumeReads(ctx context.Context, v view, turned <-chan struct{}) error {
	priority := slavePriority
	switch {
	case v.Full != "":
		priority = fullPriority
	case v.Leads > 0:
		priority = masterPriority
	}
	consumer, err := w.Bus.Consume(ctx, bus.Reads, bus.ConsumeOptions{Prefetch: readPrefetch, Priority: priority})
	if isBusFault(err) {
		pause(ctx, 100*time.Millisecond)
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	answeringCtx, giveBack := context.WithCancel(ctx)
	defer giveBack()
	var answering sync.WaitGroup
	ends := make(chan error, readPrefetch)
	defer func() {
		consumer.Cancel()
		if w.status.now().Aside {
			giveBack() // what waits for the log had better wait elsewhere
		}
		late := time.AfterFunc(lingering, giveBack) // until then nobody takes reads here
		defer late.Stop()
		answering.Wait()
		consumer.Close()
	}()
	// They stay, as a new one for each read would spend more on growing its stack than on most else.
	for range readPrefetch {
		answering.Go(func() { ends <- w.answerAll(answeringCtx, consumer.Deliveries(), v.Stuck) })
	}
	select {
	case err := <-ends:
		return err
	case <-turned:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answerAll answers one read after the other until the subscription ends, which is no error. Stuck says
// that the replica was so when it subscribed.
func (w *Worker) answerAll(ctx context.Context, reads <-chan bus.Delivery, stuck bool) error {
	for d := range reads {
		if err := w.answer(ctx, d, stuck); err != nil {
			return err
		}
	}
	return nil
}

// answer answers one read. An error means that the database failed: the read goes to another worker when this
// one ends, unless it came from one. A read that ends the database of whoever executes it ends two, not all.
func (w *Worker) answer(ctx context.Context, d bus.Delivery, stuck bool) (err error) {
	ctx, span := w.takeRead(ctx, d)
	defer func() { tracing.End(span, err) }()
	ending := ctx.Done()
	if !d.Expires.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, d.Expires)
		defer cancel()
	}
	final := false
	result, err := w.read(ctx, d.Body, func() {
		if d.Redelivered {
			final = true
			_ = d.Ack() // where the connection is lost it comes once more, to a worker that does the same
		}
	})
	switch {
	case err == nil:
		w.reads.Add(1)
		err = d.Reply(ctx, db.Reply{Read: &result}.Encode())
	case isClosed(ending) && final:
		return d.Reply(context.WithoutCancel(ctx), refusal(db.Errorf(db.Unavailable, "the replica ends"), ""))
	case isClosed(ending):
		return nil // not acknowledged: another worker answers
	case ctx.Err() != nil:
		err = nil // nobody waits any more
	case errors.Is(err, errBehind) && !stuck:
		return nil // not acknowledged: this subscription is ending, and another worker may know more
	case errors.Is(err, store.ErrTooMuch):
		err = d.Reply(ctx, refusal(db.Errorf(db.Unavailable,
			"the database has no room to do this: ask for less, or in the order of the key or of an index"), ""))
	case errors.Is(err, store.ErrBusy):
		err = d.Reply(ctx, refusal(db.Errorf(db.Unavailable, "too many large reads are under way"), ""))
	case errors.Is(err, store.ErrFull): // no room even for what a large read keeps on the disk
		err = d.Reply(ctx, refusal(db.Errorf(db.Unavailable, "the disk is full"), ""))
	case refused(err):
		err = d.Reply(ctx, refusal(err, ""))
	case final:
		why := db.Errorf(db.Unavailable, "a second replica has failed while it did this")
		if fault := d.Reply(ctx, refusal(why, "")); errors.Is(err, store.ErrGone) {
			return fault // the replica finds it out, too
		}
		return err
	case errors.Is(err, store.ErrGone):
		return nil // as above
	default:
		return err
	}
	if err == nil {
		_ = d.Ack() // where the connection is lost, so is the message: its caller asks again
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// read waits until the database is new enough, and calls begin before it reads.
func (w *Worker) read(ctx context.Context, body []byte, begin func()) (result db.ReadResult, err error) {
	start := time.Now()
	r, err := db.DecodeRead(body)
	if err != nil {
		return db.ReadResult{}, err
	}
	defer func() {
		if err == nil {
			w.Metrics.Answered(r.Consistency, time.Since(start))
		}
	}()
	switch r.Consistency {
	case db.Session:
		if err = w.reach(ctx, r.After); err == nil {
			w.applyHeld(ctx)
		}
	case db.Strong:
		if err = w.catchUp(ctx); err == nil {
			err = w.covers(r.After)
		}
	case db.Eventual:
		w.applyHeld(ctx)
	}
	if err == nil {
		err = ctx.Err() // a worker that ends must not take the read off its queue
	}
	if err != nil {
		return db.ReadResult{}, err
	}
	ctx, span := tracing.Start(ctx, "read from the database")
	defer func() { tracing.End(span, err) }()
	begin()
	return w.Store.Read(ctx, r)
}

// catchUp waits until everything is applied that the log holds now. So the read that follows sees
// every write that was acknowledged before, on any replica: there is no lease and no clock in it.
func (w *Worker) catchUp(ctx context.Context) error {
	w.demand.begin()
	defer w.demand.end()
	end := w.barriers.join()
	for {
		v, turned := w.status.turn()
		if v.Stuck {
			return refuseBehind()
		}
		select {
		case <-end:
			return nil
		case <-turned:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// covers refuses a position that the database does not cover.
func (w *Worker) covers(after db.Position) error {
	if at := w.status.now().Log.Position(); !at.Covers(after) {
		return db.Errorf(db.BadPosition, "position %s lies beyond the end of the log, %s", after, at)
	}
	return nil
}

// beforeBarrier is how long a read waits for its position before it asks where the log ends.
const beforeBarrier = 20 * time.Millisecond

// reach waits until the database covers the position. One that lies beyond the end of the log was
// never given to anybody: waiting for it would only keep others from being served.
func (w *Worker) reach(ctx context.Context, after db.Position) error {
	if w.status.now().Log.Position().Covers(after) {
		return nil
	}
	w.demand.begin()
	defer w.demand.end()
	// The log mostly brings the position within milliseconds, and a barrier wakes all other workers.
	doubt := time.NewTimer(beforeBarrier)
	defer doubt.Stop()
	var end <-chan struct{}
	for {
		v, moved := w.status.progress()
		if v.Log.Position().Covers(after) {
			return nil
		}
		if v.Stuck {
			return refuseBehind()
		}
		select {
		case <-moved:
		case <-doubt.C:
			end = w.barriers.join()
		case <-end:
			return w.covers(after)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
