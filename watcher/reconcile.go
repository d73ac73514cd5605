package watcher

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
	"rideshare/internal/store"
)

// reconcile looks once and does what is missing. It is level-triggered: it asks what is, not what
// has happened, so a lost event costs time and nothing else.
func (w *Watcher) reconcile(ctx context.Context) error {
	lead, err := w.lead(ctx)
	if err != nil || !lead {
		return err
	}
	config, err := w.config(ctx)
	if err != nil {
		return err
	}
	w.Metrics.Desired(config.Slaves)
	o, err := w.observe(ctx, config)
	if err != nil {
		return err
	}
	w.recoveries.observe(o)
	if slaves, due := w.scaler.observe(o.Now, o.Members); due && config.Auto && slaves != config.Slaves {
		w.Logger.Info("autoscaling", "from", config.Slaves, "to", slaves)
		err := w.change(ctx, func(c *registry.Config) { c.Slaves = slaves })
		if err != nil {
			return err
		}
		o.Slaves = slaves
		w.Metrics.Desired(slaves)
	}
	w.tellAside(o.Aside)
	actions := Plan(o)
	if missing := slices.ContainsFunc(actions, func(a Action) bool { return a.Verb == Create }); !missing && o.Creating == 0 && !o.Now.Before(o.NextCreate) {
		w.mu.Lock()
		w.createWhy = "" // it is not wanted any more
		w.mu.Unlock()
	}
	for _, a := range actions {
		if a.Verb == Stop {
			return fmt.Errorf("%w: %s. %s", ErrLost, a.Why, w.Rescue)
		}
		w.act(ctx, a, o.Master.Epoch)
	}
	return nil
}

// tellAside tells the operator of data that was set aside, once for each place.
func (w *Watcher) tellAside(places []string) {
	for _, place := range places {
		if !slices.Contains(w.aside, place) {
			w.Logger.Warn("data that could not be read is kept: rescue it, or delete it when it is not needed any more", "place", place, "kept", len(places))
		}
	}
	w.aside = places
}

// lead reports whether this watcher is the leading one.
func (w *Watcher) lead(ctx context.Context) (bool, error) {
	err := w.Registry.LeadWatchers(ctx, w.ID)
	if err != nil && !errors.Is(err, registry.ErrTaken) {
		return false, err // it goes on to answer, if it led: nobody else can know better
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if lead := err == nil; lead != w.leading {
		w.leading = lead
		w.Logger.Info("leadership of the watchers", "leading", lead)
	}
	w.Metrics.Leading(w.leading)
	return w.leading, nil
}

// config returns the config, and sets what nobody has set yet.
func (w *Watcher) config(ctx context.Context) (registry.Config, error) {
	config, _, err := w.Registry.Config(ctx)
	if err != nil || config.Slaves > 0 {
		return config, err
	}
	err = w.change(ctx, func(c *registry.Config) {
		if c.Slaves == 0 {
			c.Slaves, c.Auto = w.Slaves, w.Auto
		}
		config = *c
	})
	return config, err
}

// change changes the config, whoever else does so at the same time.
func (w *Watcher) change(ctx context.Context, f func(*registry.Config)) error {
	for {
		config, version, err := w.Registry.Config(ctx)
		if err != nil {
			return err
		}
		f(&config)
		err = w.Registry.SetConfig(ctx, config, version)
		if !errors.Is(err, registry.ErrConflict) {
			return err
		}
	}
}

func (w *Watcher) observe(ctx context.Context, config registry.Config) (Observation, error) {
	o := Observation{Slaves: config.Slaves, Seed: config.Seed, Switch: config.Switch}
	var err error
	if o.Members, err = w.Registry.Members(ctx); err != nil {
		return o, err
	}
	o.Master, err = w.Registry.Master(ctx)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return o, err
	}
	w.mu.Lock()
	w.remember(o.Members, time.Now())
	o.History, o.Creating, o.NextCreate = maps.Clone(w.history), w.creating, w.nextCreate
	w.mu.Unlock()
	// After the history: a pair that is busy there may be found done here, never the reverse.
	listing, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if o.Pairs, err = w.Pairs.List(listing); err != nil {
		return o, err
	}
	w.meet(o.Pairs, o.History)
	w.explain(o.Pairs)
	if o.Aside, err = w.Pairs.Aside(listing); err != nil {
		return o, err
	}
	o.Now = time.Now()
	return o, nil
}

// remember notes who is registered, and forgets the failures of who serves.
func (w *Watcher) remember(members []registry.Member, now time.Time) {
	for _, m := range members {
		h := w.history[m.Pair]
		h.LastSeen = now
		if m.State == cluster.Serving {
			if h.Created { // creating works; that others serve says nothing about it
				w.createTry = 0
			}
			h.Created, h.Tries, h.Next, h.Why = false, 0, time.Time{}, ""
		}
		w.history[m.Pair] = h
	}
}

// meet starts the clock of pairs that this watcher has never seen registered. The worker of such a pair may have been
// started by an earlier watcher, and run without reaching the registry.
func (w *Watcher) meet(list []pairs.Pair, known map[string]History) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, pair := range list {
		if h := w.history[pair.ID]; h.LastSeen.IsZero() && !h.Busy {
			h.LastSeen = time.Now()
			w.history[pair.ID], known[pair.ID] = h, h
		}
	}
}

// retryAfter returns how long to wait after so many starts in vain.
func retryAfter(tries int) time.Duration {
	if tries <= 1 {
		return firstRetry
	}
	return min(firstRetry<<min(tries-1, 10), longestRetry)
}

// act does an action, planned in that epoch. What takes long goes on beside the loop, once at a time
// for each pair.
func (w *Watcher) act(ctx context.Context, a Action, epoch uint64) {
	w.Logger.Info("acting", "do", a.Verb, "pair", a.Pair, "worker", a.Worker, "why", a.Why)
	switch a.Verb {
	case Evict:
		w.evict(ctx, a.Worker, a.Why)
	case Kill:
		w.report(a, w.kill(ctx, a.Pair))
	case Seed:
		w.report(a, w.change(ctx, func(c *registry.Config) { c.Seed = registry.Seed{Worker: a.Worker, At: a.At} }))
	case Switch:
		w.report(a, w.change(ctx, func(c *registry.Config) { c.Switch = registry.Switch{To: a.Worker, From: epoch} }))
	case Create:
		w.create(ctx, a)
	case Start:
		w.withPair(ctx, a, func(ctx context.Context) error { _, err := w.Pairs.Start(ctx, a.Pair); return err })
	case Remove, SetAside:
		w.withPair(ctx, a, func(ctx context.Context) error {
			if a.Worker != "" {
				w.report(Action{Verb: Evict, Pair: a.Pair, Worker: a.Worker}, w.Registry.Evict(ctx, a.Worker)) // a removal is no incident
			}
			if a.Verb == Remove {
				return w.Pairs.Remove(ctx, a.Pair)
			}
			place, err := w.Pairs.SetAside(ctx, a.Pair)
			if err == nil {
				w.Logger.Warn("set aside", "pair", a.Pair, "place", place, "why", a.Why)
			}
			return err
		})
	case Stop: // reconcile's
	}
}

// kill kills the worker of a pair.
func (w *Watcher) kill(ctx context.Context, pair string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return w.Pairs.Kill(ctx, pair, pairs.WorkerPart)
}

func (w *Watcher) report(a Action, err error) {
	w.Metrics.Acted(string(a.Verb), err)
	if err != nil {
		w.Logger.Warn("action failed", "do", a.Verb, "pair", a.Pair, "worker", a.Worker, "why", err)
	}
}

// evict takes a worker out of the registry, and begins to measure the recovery.
func (w *Watcher) evict(ctx context.Context, worker, why string) {
	w.recoveries.begin(worker, why, time.Now())
	err := w.Registry.Evict(ctx, worker)
	w.Metrics.Acted(string(Evict), err)
	if err != nil {
		w.Logger.Warn("cannot evict", "worker", worker, "why", err)
	}
}

func (w *Watcher) create(ctx context.Context, a Action) {
	w.mu.Lock()
	w.creating++
	w.createTry++
	if w.createTry > 2*w.Rule.Max { // nothing that was created has served yet
		w.nextCreate = time.Now().Add(retryAfter(w.createTry - 2*w.Rule.Max))
	}
	w.mu.Unlock()
	w.acting.Go(func() {
		defer w.poke()
		ctx, cancel := context.WithTimeout(ctx, actTimeout)
		defer cancel()
		pair, err := w.Pairs.Create(ctx)
		w.report(a, err)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.creating--
		w.createWhy = ""
		if err == nil {
			w.history[pair.ID] = History{Created: true, Tries: 1, Next: time.Now().Add(firstRetry), LastSeen: time.Now()}
		} else {
			w.createWhy = err.Error()
			w.nextCreate = time.Now().Add(retryAfter(w.createTry))
		}
	})
}

func (w *Watcher) withPair(ctx context.Context, a Action, f func(context.Context) error) {
	w.mu.Lock()
	h := w.history[a.Pair]
	h.Busy, h.Removing = true, a.Verb == Remove || a.Verb == SetAside
	h.Tries++
	w.history[a.Pair] = h
	w.mu.Unlock()
	w.acting.Go(func() {
		defer w.poke()
		ctx, cancel := context.WithTimeout(ctx, actTimeout)
		defer cancel()
		err := f(ctx)
		w.report(a, err)
		w.mu.Lock()
		defer w.mu.Unlock()
		h := w.history[a.Pair]
		if err != nil {
			h.Why = fmt.Sprintf("%s failed: %s", a.Verb, err)
		}
		if errors.Is(err, store.ErrFull) { // which says nothing against the pair: its data may be the newest
			h.Tries = min(h.Tries, hopeless-1)
		}
		h.Busy, h.Removing, h.LastSeen, h.Next = false, false, time.Now(), time.Now().Add(retryAfter(h.Tries))
		w.history[a.Pair] = h
		if a.Verb == Remove || a.Verb == SetAside && err == nil {
			delete(w.history, a.Pair)
		}
	})
}
