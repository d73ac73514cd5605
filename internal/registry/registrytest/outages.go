package registrytest

import "rideshare/internal/registry"

func outages() []scenario {
	return []scenario{
		{"a registry that was down knows what it knew", down},
		{"sessions do not time out while the registry is down", downForDead},
	}
}

func down(k *kit) {
	k.need(k.SetAvailable != nil, "stop the registry")
	observer := k.connect()
	r, m := own(k)
	k.must(r.SetConfig(k.Context(), registry.Config{Slaves: 2}, 0))
	watch := observer.Watch(k.Context())
	k.quiet(watch)

	k.SetAvailable(false)
	callAll(k, k.Context(), r, registry.ErrUnavailable)
	k.timeouts(3)
	callAll(k, k.Context(), observer, registry.ErrUnavailable)
	k.SetAvailable(true)

	k.back(observer)
	k.back(r)
	k.timeouts(2)
	k.present(observer, "w")
	k.master(observer, m)
	if c, _ := k.config(observer); c.Slaves != 2 {
		k.Errorf("config %+v", c)
	}
	k.quiet(watch)
	k.must(r.Evict(k.Context(), "w"))
	k.fired(watch, "a change after the outage")
}

func downForDead(k *kit) {
	k.need(k.SetAvailable != nil && k.Kill != nil, "stop the registry and kill")
	observer := k.connect()
	before, m := own(k)
	k.Kill(before)
	k.SetAvailable(false)
	k.timeouts(3)
	k.SetAvailable(true)
	k.back(observer)
	k.present(observer, "w") // it has the whole time-out again
	k.master(observer, m)
	lost(k, observer)
}
