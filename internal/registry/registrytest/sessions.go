package registrytest

import (
	"context"
	"time"

	"rideshare/internal/registry"
)

func sessions() []scenario {
	return []scenario{
		{"a dead session loses everything, after its time-out", dies},
		{"a session that is cut off for too long begins anew without what it had", expires},
		{"a session that comes back in time loses nothing", survives},
		{"a session that is closed while cut off leaves after its time-out", closedWhileCut},
		{"a closed session does nothing any more", closed},
		{"calls keep to their context", done},
	}
}

// own registers a worker, makes it master, and makes a watcher lead.
func own(k *kit) (registry.Registry, registry.Master) {
	k.Helper()
	r := k.join("w")
	k.must(r.LeadWatchers(k.Context(), "watcher"))
	return r, k.elect(r, "w", 0, 0)
}

// lost waits until nothing of what own made is left, and takes the leadership of the watchers.
func lost(k *kit, observer registry.Registry) {
	k.Helper()
	k.present(observer)
	k.master(observer, registry.Master{})
	k.must(observer.LeadWatchers(k.Context(), "another"))
}

func dies(k *kit) {
	k.need(k.Kill != nil, "kill")
	observer := k.connect()
	r, m := own(k)
	k.present(observer, "w")
	k.Kill(r)
	began := time.Now()
	k.present(observer, "w")
	k.master(observer, m)
	k.refuse(observer, "x", 0)
	lost(k, observer)
	k.lasted(began)
	if next := k.elect(observer, "x", 0, 0); next.Epoch != m.Epoch+1 {
		k.Errorf("epoch %d after %d", next.Epoch, m.Epoch)
	}
}

func expires(k *kit) {
	k.need(k.Cut != nil && k.Heal != nil, "cut")
	observer := k.connect()
	r, m := own(k)
	k.Cut(r)
	k.want(r.Register(k.Context(), registry.Member{ID: "w"}), registry.ErrUnavailable)
	_, err := r.Members(k.Context())
	k.want(err, registry.ErrUnavailable)
	lost(k, observer)

	k.Heal(r)
	k.back(r)
	k.present(r)
	k.master(r, registry.Master{})
	k.must(r.Register(k.Context(), registry.Member{ID: "w"}))
	k.must(r.Reclaim(k.Context(), m))
	k.timeouts(2) // the new session lives
	k.present(observer, "w")
	k.master(observer, m)
}

func survives(k *kit) {
	k.need(k.Cut != nil && k.Heal != nil, "cut")
	observer := k.connect()
	r, m := own(k)
	for range 4 {
		k.Cut(r)
		k.timeouts(0.4)
		k.Heal(r)
		k.back(r)
	}
	k.timeouts(2)
	k.present(observer, "w")
	k.master(observer, m)
	k.want(observer.LeadWatchers(k.Context(), "another"), registry.ErrTaken)
}

func closedWhileCut(k *kit) {
	k.need(k.Cut != nil, "cut")
	observer := k.connect()
	r, m := own(k)
	k.present(observer, "w")
	k.Cut(r)
	began := time.Now()
	k.must(r.Close())
	k.present(observer, "w") // nobody could tell the registry
	k.master(observer, m)
	lost(k, observer)
	k.lasted(began)
}

// callAll calls each method that can fail, and checks that it returns the error.
func callAll(k *kit, ctx context.Context, r registry.Registry, want error) {
	k.Helper()
	m := registry.Master{Worker: "x", Epoch: 9}
	_, members := r.Members(ctx)
	_, elect := r.Elect(ctx, "x", 0, 0)
	_, master := r.Master(ctx)
	_, _, config := r.Config(ctx)
	for _, err := range []error{
		r.Register(ctx, registry.Member{ID: "x"}), members, r.Evict(ctx, "w"),
		elect, r.Reclaim(ctx, m), r.Resign(ctx, m), master,
		config, r.SetConfig(ctx, registry.Config{Slaves: 1}, 0), r.LeadWatchers(ctx, "x"),
	} {
		k.want(err, want)
	}
}

func closed(k *kit) {
	observer := k.join("w")
	r := k.connect()
	watch := r.Watch(k.Context())
	k.must(r.Close())
	k.must(r.Close())
	callAll(k, k.Context(), r, registry.ErrClosed)
	k.quiet(watch)
	k.must(observer.Register(k.Context(), registry.Member{ID: "v"}))
	for _, ch := range []<-chan struct{}{watch, r.Watch(k.Context())} {
		if n := k.quiet(ch); n != 0 {
			k.Errorf("%d values after Close", n)
		}
	}
	k.present(observer, "v", "w")
}

func done(k *kit) {
	r := k.join("w")
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	callAll(k, ctx, r, context.Canceled)
	k.present(r, "w")
	k.master(r, registry.Master{})
}
