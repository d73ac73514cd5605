package registrytest

import "rideshare/internal/registry"

func watchers() []scenario {
	return []scenario{
		{"one watcher leads until its session ends", leads},
		{"leadership passes on when the leader dies", leaderDies},
		{"a watcher that comes back keeps the leadership of its ghost", leaderReturns},
	}
}

func leads(k *kit) {
	a, b := k.connect(), k.connect()
	k.must(a.LeadWatchers(k.Context(), "a"))
	k.must(a.LeadWatchers(k.Context(), "a"))
	k.want(b.LeadWatchers(k.Context(), "b"), registry.ErrTaken)
	k.must(a.Evict(k.Context(), "a")) // a watcher is not a worker
	k.want(b.LeadWatchers(k.Context(), "b"), registry.ErrTaken)
	k.must(a.Close())
	k.eventually("b leads", func() bool { return b.LeadWatchers(k.Context(), "b") == nil })
	k.want(k.connect().LeadWatchers(k.Context(), "a"), registry.ErrTaken)
}

func leaderDies(k *kit) {
	k.need(k.Kill != nil, "kill")
	a, b := k.connect(), k.connect()
	k.must(a.LeadWatchers(k.Context(), "a"))
	watch := b.Watch(k.Context())
	k.quiet(watch)
	k.Kill(a)
	// A watch may say that something has changed when nothing has, never the reverse.
	for err := b.LeadWatchers(k.Context(), "b"); err != nil; err = b.LeadWatchers(k.Context(), "b") {
		k.want(err, registry.ErrTaken)
		k.fired(watch, "the leader's time-out")
	}
}

func leaderReturns(k *kit) {
	k.need(k.Kill != nil, "kill")
	old, next, other := k.connect(), k.connect(), k.connect()
	k.must(old.LeadWatchers(k.Context(), "a"))
	k.Kill(old)
	k.must(next.LeadWatchers(k.Context(), "a"))
	k.timeouts(2)
	k.want(other.LeadWatchers(k.Context(), "b"), registry.ErrTaken)
}
