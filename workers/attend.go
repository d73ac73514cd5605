package workers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
)

// attend keeps the worker's node in the registry, and stands for election. It never stops the
// replica: without a registry the worker goes on in the role it has.
func (w *Worker) attend(ctx context.Context) error {
	changes := w.Registry.Watch(ctx)
	status := time.NewTicker(statusEvery)
	defer status.Stop()
	relist := time.NewTicker(relistEvery)
	defer relist.Stop()
	due := true
	for {
		_, turned := w.status.turn()
		err := w.attendOnce(ctx, due)
		if errors.Is(err, registry.ErrClosed) {
			return err
		}
		w.Metrics.Status(w.member(w.status.now()), w.lag)
		if err != nil && ctx.Err() == nil && !errors.Is(err, registry.ErrUnavailable) && !errors.Is(err, registry.ErrTaken) {
			w.Logger.Warn("registry", "why", err)
		}
		due = false
		select {
		case <-changes:
		case <-turned:
		case <-status.C:
			due = true
		case <-relist.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// attendOnce compares what the registry says with what is, and does what follows. What only counts on
// is told when it is due: each change wakes all other workers, and under load there is always one.
func (w *Worker) attendOnce(ctx context.Context, due bool) error {
	v := w.status.now()
	members, err := w.Registry.Members(ctx)
	if err != nil {
		if self := w.member(v); !self.CutOff { // that much it knows by itself
			w.standAside(v, self, nil)
		}
		return err
	}
	w.lag = lagOf(v.Log.Seq, members)
	self := w.member(v)
	if !slices.ContainsFunc(members, func(m registry.Member) bool { return m == self || !due && sameButCounts(m, self) }) {
		if err := w.register(ctx); err != nil {
			return err
		}
	}
	w.standAside(v, self, members)
	config, _, err := w.Registry.Config(ctx)
	if err != nil {
		return err
	}
	if at := v.Log.Position(); config.Seed == (registry.Seed{Worker: w.ID, At: at}) {
		switch {
		case v.State == cluster.Unseeded:
			w.tell(order{seed: true, above: highestEpoch(members)})
		case v.State == cluster.Following && v.AtEnd:
			w.tell(order{open: true, at: at})
		}
	}
	if v.Leads > 0 && slices.ContainsFunc(members, func(m registry.Member) bool { return asksFor(m, v.Log.LogID) }) {
		select {
		case w.asked <- struct{}{}:
		default:
		}
	}
	master, err := w.Registry.Master(ctx)
	absent := errors.Is(err, registry.ErrNotFound)
	if err != nil && !absent {
		return err
	}
	v = w.status.now() // an office may have ended meanwhile
	if master.Worker != w.ID || v.Leads > 0 || v.Elected > 0 || len(w.orders) > 0 {
		w.vacantSince = time.Now()
	}
	switch {
	case v.Leads > 0 && (absent || master.Epoch < v.Leads):
		// The session ended, or the registry lost its data; the log still says who is master.
		return w.Registry.Reclaim(ctx, registry.Master{Worker: w.ID, Epoch: v.Leads})
	case v.Leads == 0 && (!v.serving() || v.Full != "") && master.Worker == w.ID:
		// It was elected before its database was found to be damaged, or its disk to be full.
		return w.Registry.Resign(ctx, master)
	case time.Since(w.vacantSince) > vacantAfter:
		// It does not lead, and resigning failed, or its claim was on its way just then.
		return w.Registry.Resign(ctx, master)
	case !w.status.now().electable():
		return nil
	case absent:
		if !pause(ctx, candidateDelay(w.member(v), members)) {
			return ctx.Err()
		}
		return w.stand(ctx, 0)
	case config.Switch.To == w.ID && config.Switch.From == master.Epoch && master.Worker != w.ID:
		return w.stand(ctx, master.Epoch)
	}
	return nil
}

// register registers the worker as it is. One call at a time does so: an older description must not replace a newer one.
func (w *Worker) register(ctx context.Context) error {
	select {
	case w.registering <- struct{}{}:
		defer func() { <-w.registering }()
		return w.Registry.Register(ctx, w.member(w.status.now()))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// vacantAfter is how long a worker is registered as master that does not lead and is not about to. An order to
// lead is taken long before.
const vacantAfter = 2 * time.Second

// sameButCounts reports whether two descriptions of a worker differ in nothing but how far it is and how
// much it has done.
func sameButCounts(a, b registry.Member) bool {
	a.Position, a.Reads, a.Writes = b.Position, b.Reads, b.Writes
	return a == b
}

// stand stands for election, and leads where it is won.
func (w *Worker) stand(ctx context.Context, from uint64) error {
	if from == 0 { // otherwise the master goes on, and so is ahead; takeOffice looks again
		if complete, err := w.complete(ctx); err != nil || !complete {
			return err
		}
	}
	v := w.status.now()
	if !v.electable() {
		return nil
	}
	epoch, err := w.Registry.Elect(ctx, w.ID, v.Log.Epoch, from)
	if err != nil {
		return err
	}
	w.Logger.Info("elected", "epoch", epoch)
	w.tell(order{epoch: epoch})
	return nil
}

// tell hands an order to the replica, in place of one that it has not taken yet.
func (w *Worker) tell(o order) {
	select {
	case <-w.orders:
	default:
	}
	w.orders <- o
}

// candidateDelay lets the most advanced candidate go first: it has the least to catch up with.
// Every slave reaches the same end of the log, so the order is a matter of time, not of safety.
func candidateDelay(self registry.Member, members []registry.Member) time.Duration {
	rank := 0
	for _, m := range members {
		if m.ID != self.ID && m.State == cluster.Serving && m.Writable() && moreAdvanced(m, self) < 0 {
			rank++
		}
	}
	return time.Duration(rank) * rankDelay
}

// moreAdvanced orders members: the most advanced first, by id where they are even.
func moreAdvanced(a, b registry.Member) int {
	return cmp.Or(cmp.Compare(b.Position.Seq, a.Position.Seq), cmp.Compare(a.ID, b.ID))
}

// lagOf returns how many entries seq is behind the most advanced member.
func lagOf(seq uint64, members []registry.Member) uint64 {
	newest := seq
	for _, m := range members {
		newest = max(newest, m.Position.Seq)
	}
	return newest - seq
}

func highestEpoch(members []registry.Member) uint64 {
	var p db.Position
	for _, m := range members {
		p.Epoch = max(p.Epoch, m.Position.Epoch)
	}
	return p.Epoch
}
