package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

func newID() string { return uuid.NewString() }

// lead makes the worker the master of an epoch that the registry has given it, and serves writes
// until it is deposed (errDeposed) or something fails.
func (r *replica) lead(ctx context.Context, epoch uint64) error {
	if err := r.takeOffice(ctx, epoch); err != nil {
		return err
	}
	if err := r.migrate(ctx); err != nil {
		return err
	}
	r.Logger.Info("master", "epoch", epoch, "position", r.state.Position())
	r.gatherer = gatherer{}
	r.status.update(func(v *view) {
		v.Leads = epoch
		if v.State == cluster.Following { // it lost its place after it was elected, and found it again
			v.State, v.AtEnd = cluster.Serving, true
		}
	})
	for {
		consumer, err := r.Bus.Consume(ctx, bus.Writes, bus.ConsumeOptions{Prefetch: writePrefetch})
		if err == nil {
			if err = r.serveWrites(ctx, consumer); errors.Is(err, errYielded) {
				r.leave(ctx, epoch, err) // first: the queue's node may be the one that does not answer
			}
			consumer.Close()
		}
		if err != nil && !isBusFault(err) {
			return err
		}
		// The broker is away. Its messages come back with it; so may a higher marker, before.
		if err := r.watchLog(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// takeOffice appends the marker of the epoch, which fences every earlier master, and applies
// everything up to it.
func (r *replica) takeOffice(ctx context.Context, epoch uint64) error {
	beaten := func(s replog.State) error {
		switch {
		case s.LogID == "":
			return errLost
		case s.Epoch >= epoch:
			return errDeposed
		}
		return nil
	}
	if err := beaten(r.state); err != nil {
		return err
	}
	marker := replog.Record{Kind: replog.MarkerKind, Epoch: epoch, Worker: r.ID, Nonce: newID()}
	e, err := r.propose(ctx, &marker, func(e replog.Event) error {
		if err := r.apply(ctx, []replog.Event{e}); err != nil {
			return err
		}
		return beaten(e.State)
	})
	if err == nil {
		err = r.apply(ctx, []replog.Event{e})
	}
	if err != nil {
		return err
	}
	// The log may have lost its end since it was elected. Without a registry nobody could know.
	asking, cancel := context.WithTimeout(ctx, statusEvery)
	defer cancel()
	if members, err := r.Registry.Members(asking); err == nil {
		if m, more := r.more(members); more {
			return fmt.Errorf("%w: %s has more than the log", errDeposed, m.ID)
		}
	}
	return nil
}

// serveWrites executes what comes in from the queue. A nil error: the subscription was lost.
func (r *replica) serveWrites(ctx context.Context, consumer bus.Consumer) error {
	for {
		for len(r.pending) > 0 {
			if err := r.observeNext(ctx); err != nil {
				return err
			}
		}
		if r.idle > keepAlive {
			if err := r.commit(ctx, nil); err != nil {
				return err
			}
			continue // it may have read on
		}
		select {
		case events, ok := <-r.follower.Events():
			if !ok {
				return r.follower.Err()
			}
			r.pending = events
		case d, ok := <-consumer.Deliveries():
			if !ok {
				return nil
			}
			batch, err := r.gather(ctx, d, consumer.Deliveries())
			if err != nil {
				return err
			}
			begun := time.Now()
			if err := r.commit(ctx, batch); err != nil {
				return err
			}
			r.gatherer.answered(len(batch), len(consumer.Deliveries()), time.Since(begun))
		case <-r.asked:
			if err := r.commit(ctx, nil); err != nil {
				return err
			}
		case <-r.yields:
			return errYielded
		case <-r.checks.C:
			if err := r.Store.Intact(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watchLog handles events for a while.
func (r *replica) watchLog(ctx context.Context, d time.Duration) error {
	over := time.After(d)
	for {
		select {
		case events, ok := <-r.follower.Events():
			if !ok {
				return r.follower.Err()
			}
			r.pending = append(r.pending, events...)
		case <-over:
			return r.Store.Intact()
		case <-r.yields:
			return errYielded
		case <-ctx.Done():
			return ctx.Err()
		}
		for len(r.pending) > 0 {
			if err := r.observeNext(ctx); err != nil {
				return err
			}
		}
	}
}

// observeNext handles the next event while nothing of the master is under way.
func (r *replica) observeNext(ctx context.Context) error {
	e, err := r.next(ctx)
	if err != nil {
		return err
	}
	return r.observe(e)
}

// observe handles an event that a master may see between its entries. What deposes it is left
// for follow, which applies it.
func (r *replica) observe(e replog.Event) error {
	if e.Verdict == replog.Passed {
		r.note(e)
		return nil
	}
	r.pending = append([]replog.Event{e}, r.pending...)
	if e.Lost() {
		return errLost
	}
	if e.Verdict == replog.NewEpoch || e.Verdict == replog.Adopted {
		return errDeposed
	}
	return fmt.Errorf("%w: the master read %s, which it has not written", replog.ErrCorrupt, e.Record.Position())
}

// migrate brings the schema to what this program knows, through the log.
func (r *replica) migrate(ctx context.Context) error {
	version, err := r.Store.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	for n := version + 1; n <= db.LatestMigration; n++ {
		r.Logger.Info("migrating the schema", "to", n)
		change := request{write: db.Write{Ops: []db.Op{{Migrate: n}}}}
		if err := r.write(ctx, []*request{&change}); err != nil {
			return err
		}
	}
	return nil
}

// leave ends an office, once.
func (r *replica) leave(ctx context.Context, epoch uint64, why error) {
	if v := r.status.now(); v.Leads == 0 && v.Elected == 0 {
		return
	}
	if errors.Is(why, store.ErrFull) { // before it could stand for election again
		r.outOfRoom(why, false)
	}
	lost := errors.Is(why, errLost)
	r.status.update(func(v *view) {
		v.Leads, v.Elected = 0, 0
		if lost && v.State == cluster.Serving {
			v.State, v.AtEnd = cluster.Following, false
		}
	})
	r.Logger.Info("not master any more", "epoch", epoch, "why", why)
	if lost {
		// First the others are to know how far its database is: the log may have lost its end.
		telling, cancel := context.WithTimeout(ctx, statusEvery)
		defer cancel()
		if err := r.register(telling); err != nil {
			r.Logger.Debug("cannot register", "why", err)
			return // attend resigns for it, when it has registered
		}
	}
	r.resign(ctx, epoch) // whatever ended it: nobody else can be elected before
}

func (r *replica) resign(ctx context.Context, epoch uint64) {
	// Where this fails the session's end or the next election says the same.
	if err := r.Registry.Resign(ctx, registry.Master{Worker: r.ID, Epoch: epoch}); err != nil {
		r.Logger.Debug("cannot resign", "epoch", epoch, "why", err)
	}
}
