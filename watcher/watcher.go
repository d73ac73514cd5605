// Package watcher keeps the cluster as it should be. It compares the workers that are registered
// and the pairs that run with what is wanted, and does what is missing: the plan is a pure
// function (plan.go), acting is thin (act.go). It also carries out the operator's commands and
// scales the slaves with the reads.
//
// Nothing depends on it from one moment to the next: without a watcher the cluster serves, and
// elects. Of several watchers one leads. DESIGN.md beside this file has the failure cases.
package watcher

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
)

// Config is what a watcher is made of. The watcher closes none of it.
type Config struct {
	ID       string
	Registry registry.Registry
	Pairs    pairs.Pairs
	Bus      bus.Bus
	Slaves   int       // how many there should be where nobody has said so yet
	Auto     bool      // whether the autoscaler begins switched on
	Rule     ScaleRule // the zero rule: DefaultScaleRule
	Logger   *slog.Logger
	Metrics  Metrics // is told what the watcher does; nil: nobody is
	// Rescue says what an operator does where no copy of the data can be read. It ends the error ErrLost.
	Rescue string
}

// ErrLost: there was data, and no copy of it can be read. Nothing was deleted, and nothing was begun anew.
var ErrLost = errors.New("watcher: no copy of the data can be read")

const (
	relistEvery  = 5 * time.Second // how long a lost event can go unnoticed
	firstRetry   = 500 * time.Millisecond
	longestRetry = 30 * time.Second
	// An engine may hang over one container. The watcher goes on to lead, and to answer.
	askTimeout = 15 * time.Second // for what the engine knows at once, or does at once
	actTimeout = 2 * time.Minute  // for what it makes
)

// Watcher is one watcher.
type Watcher struct {
	Config

	wake       chan struct{} // something was done; look again
	acting     sync.WaitGroup
	answers    sync.Map // of commands, by their ids: func() cluster.Answer
	scaler     *autoscaler
	recoveries *recoveries
	aside      []string // what was set aside, as told to the log; reconcile's alone

	mu         sync.Mutex // guards what follows
	history    map[string]History
	creating   int
	createTry  int
	nextCreate time.Time
	createWhy  string // why the last pair could not be created; empty: it could
	leading    bool
}

// New returns a watcher. Run runs it.
func New(c Config) *Watcher {
	if c.Rule == (ScaleRule{}) {
		c.Rule = DefaultScaleRule()
	}
	if c.Metrics == nil {
		c.Metrics = unmeasured{}
	}
	c.Logger = c.Logger.With("watcher", c.ID)
	return &Watcher{
		Config:     c,
		wake:       make(chan struct{}, 1),
		scaler:     newAutoscaler(c.Rule),
		recoveries: newRecoveries(c.Logger, c.Metrics),
		history:    map[string]History{},
	}
}

// Run watches until ctx ends, which is no error. ErrLost.
func (w *Watcher) Run(ctx context.Context) error {
	// Before it returns: what this watcher began must not go on beside its successor's work.
	defer w.acting.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.acting.Go(func() { w.serveControl(ctx) })
	// Beside the loop, which may be looking around just then: every caller waits for this.
	w.acting.Go(func() {
		for e := range w.Pairs.Events(ctx) {
			w.died(ctx, e)
			w.poke()
		}
	})
	changes := w.Registry.Watch(ctx)
	relist := time.NewTicker(relistEvery)
	defer relist.Stop()
	for {
		err := w.reconcile(ctx)
		if ctx.Err() != nil || errors.Is(err, registry.ErrClosed) {
			return nil
		}
		if errors.Is(err, ErrLost) {
			return err
		}
		if err != nil && !errors.Is(err, registry.ErrUnavailable) {
			w.Logger.Warn("cannot reconcile", "why", err)
		}
		select {
		case <-changes:
		case <-w.wake:
		case <-relist.C:
		case <-w.timer():
		case <-ctx.Done():
			return nil
		}
	}
}

// timer returns a channel on which a value arrives when something is due by the clock. What is
// overdue could not be done just now, as while the registry is away: there is a pause before it is
// tried again. To a watcher that does not lead nothing is due.
func (w *Watcher) timer() <-chan time.Time {
	if !w.isLeading() {
		return nil
	}
	due := w.scaler.next()
	w.mu.Lock()
	times := []time.Time{w.nextCreate}
	for _, h := range w.history {
		times = append(times, h.Next)
	}
	w.mu.Unlock()
	now := time.Now()
	for _, t := range times {
		if t.After(now) && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	if due.IsZero() {
		return nil
	}
	if !due.After(now) {
		return time.After(firstRetry)
	}
	return time.After(time.Until(due))
}

// died is the fast path: the registry would notice only at the end of the worker's session.
func (w *Watcher) died(ctx context.Context, e pairs.Event) {
	w.Logger.Warn("died", "pair", e.Pair, "part", e.Part, "worker", e.Worker, "why", e.Why)
	why := died(e.Part, e.Why)
	w.blame(e.Pair, why)
	if !w.isLeading() {
		return
	}
	w.evict(ctx, e.Worker, why)
	if e.Part == pairs.DatabasePart {
		// Without its database the worker is of no use; it may take a while to notice.
		if err := w.kill(ctx, e.Pair); err != nil && !errors.Is(err, pairs.ErrNotFound) {
			w.Logger.Warn("cannot kill the worker of a dead database", "pair", e.Pair, "why", err)
		}
	}
}

func (w *Watcher) isLeading() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leading
}

func (w *Watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
