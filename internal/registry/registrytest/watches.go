package registrytest

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/internal/registry"
)

func watches() []scenario {
	return []scenario{
		{"a watch fires after each kind of change", fires},
		{"a watch fires when a session times out", firesOnTimeout},
		{"changes that nobody receives are merged", merged},
		{"a watch never loses the last change", lastChange},
		{"a watch is forgotten when its context ends", forgotten},
		{"a watch goes on after a cut", watchAfterCut},
	}
}

// quiet receives until nothing more comes.
func (k *kit) quiet(watch <-chan struct{}) (received int) {
	for {
		k.settle()
		select {
		case <-watch:
			received++
		default:
			return received
		}
	}
}

func (k *kit) fired(watch <-chan struct{}, what string) {
	k.Helper()
	select {
	case <-watch:
	case <-time.After(patience):
		k.Fatalf("no value after: %s", what)
	}
}

func fires(k *kit) {
	r, other, leader := k.connect(), k.connect(), k.connect()
	ctx := k.Context()
	watch, own := k.connect().Watch(ctx), r.Watch(ctx)
	var m registry.Master
	for _, change := range []struct {
		what string
		make func() error
	}{
		{"a member", func() error { return r.Register(ctx, registry.Member{ID: "w"}) }},
		{"its description", func() error { return r.Register(ctx, registry.Member{ID: "w", PID: 2}) }},
		{"another owner of it", func() error { return other.Register(ctx, registry.Member{ID: "w", PID: 3}) }},
		{"an election", func() error { m = k.elect(r, "w", 0, 0); return nil }},
		{"a planned change", func() error { m = k.elect(r, "w", 0, m.Epoch); return nil }},
		{"a resignation", func() error { return r.Resign(ctx, m) }},
		{"a reclaimed epoch", func() error { return r.Reclaim(ctx, m) }},
		{"an eviction", func() error { return r.Evict(ctx, "w") }},
		{"a config", func() error { return r.SetConfig(ctx, registry.Config{Slaves: 1}, 0) }},
		{"a leading watcher", func() error { return leader.LeadWatchers(ctx, "watcher") }},
		{"its end", leader.Close},
		{"a member of another session", func() error { return other.Register(ctx, registry.Member{ID: "w"}) }},
		{"its session's end", other.Close},
	} {
		k.quiet(watch)
		k.quiet(own)
		k.must(change.make())
		k.fired(watch, change.what)
		k.fired(own, change.what)
	}
}

func firesOnTimeout(k *kit) {
	k.need(k.Kill != nil, "kill")
	observer, dead := k.connect(), k.join("w")
	k.present(observer, "w")
	watch := observer.Watch(k.Context())
	k.quiet(watch)
	k.Kill(dead)
	k.fired(watch, "the time-out")
	k.present(observer)
}

func merged(k *kit) {
	r, reader := k.connect(), k.connect()
	watch := reader.Watch(k.Context())
	k.quiet(watch)
	const changes = 50
	for i := range changes {
		k.must(r.Register(k.Context(), registry.Member{ID: "w", PID: i + 1}))
	}
	k.eventually("the reader sees the last change", func() bool {
		all, err := reader.Members(k.Context())
		return err == nil && len(all) == 1 && all[0].PID == changes
	})
	// One may be on its way while another waits to be received.
	if n := k.quiet(watch); n < 1 || n > 2 {
		k.Errorf("%d values for %d changes that nobody received", n, changes)
	}
}

func lastChange(k *kit) {
	const last = 300
	writer, reader := k.connect(), k.connect()
	watch := reader.Watch(k.Context())
	// The reader may see the last change before the writer hears that it was made: the scenario ends
	// when both are done.
	var writing errgroup.Group
	defer func() { k.must(writing.Wait()) }()
	writing.Go(func() error {
		for i := range last {
			if err := writer.Register(k.Context(), registry.Member{ID: "w", PID: i + 1}); err != nil {
				return err
			}
		}
		return nil
	})
	for {
		k.fired(watch, "the last change")
		all, err := reader.Members(k.Context())
		k.must(err)
		if len(all) == 1 && all[0].PID == last {
			return
		}
	}
}

func forgotten(k *kit) {
	r := k.connect()
	ctx, cancel := context.WithCancel(k.Context())
	watch := r.Watch(ctx)
	cancel()
	k.quiet(watch)
	k.must(r.Register(k.Context(), registry.Member{ID: "w"}))
	k.settle()
	select {
	case _, open := <-watch:
		k.Errorf("a value came, or the channel was closed: %v", !open)
	default:
	}
}

func watchAfterCut(k *kit) {
	k.need(k.Cut != nil && k.Heal != nil, "cut")
	r := k.join("mine")
	watch := r.Watch(k.Context())
	k.Cut(r)
	k.quiet(watch)
	k.join("w") // while nobody can tell r
	k.Heal(r)
	k.fired(watch, "a change during the cut")
	k.eventually("the change is seen", func() bool {
		all, err := r.Members(k.Context())
		return err == nil && len(all) == 2
	})
	k.quiet(watch)
	k.join("x")
	k.fired(watch, "a change after the cut")
}
