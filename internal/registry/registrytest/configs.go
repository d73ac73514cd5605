package registrytest

import (
	"errors"
	"sync"

	"rideshare/internal/db"
	"rideshare/internal/registry"
)

func configs() []scenario {
	return []scenario{
		{"the config is versioned", versioned},
		{"of concurrent changes of one version exactly one is made", oneChange},
		{"the config outlives its session", configStays},
	}
}

func (k *kit) config(r registry.Registry) (registry.Config, int64) {
	k.Helper()
	c, version, err := r.Config(k.Context())
	k.must(err)
	return c, version
}

func versioned(k *kit) {
	a, b := k.connect(), k.connect()
	if c, version := k.config(a); c != (registry.Config{}) || version != 0 {
		k.Fatalf("config %+v, version %d before the first", c, version)
	}
	k.want(a.SetConfig(k.Context(), registry.Config{Slaves: 9}, 1), registry.ErrConflict)
	seen := map[int64]bool{0: true}
	for _, want := range []registry.Config{
		{Slaves: 3, Auto: true, Seed: registry.Seed{Worker: "p1.1", At: db.Position{Epoch: 2, Seq: 9}}, Switch: registry.Switch{To: "p2.1", From: 1 << 60}},
		{Slaves: 1},
		{},
	} {
		_, version := k.config(a)
		k.must(a.SetConfig(k.Context(), want, version))
		k.want(b.SetConfig(k.Context(), registry.Config{Slaves: 9}, version), registry.ErrConflict)
		got, next := k.config(a)
		if got != want || seen[next] {
			k.Fatalf("config %+v, version %d; want %+v and a new version", got, next, want)
		}
		seen[next] = true
		k.eventually("the other session sees it", func() bool {
			c, version := k.config(b)
			return c == want && version == next
		})
	}
}

func oneChange(k *kit) {
	all := candidates(k)
	for range 5 {
		_, version := k.config(all[0])
		var mu sync.Mutex
		var changed []int
		var done sync.WaitGroup
		for i, r := range all {
			done.Go(func() {
				err := r.SetConfig(k.Context(), registry.Config{Slaves: i + 1}, version)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					changed = append(changed, i+1)
				} else if !errors.Is(err, registry.ErrConflict) {
					k.Error(err)
				}
			})
		}
		done.Wait()
		k.settle()
		if c, _ := k.config(all[0]); len(changed) != 1 || c.Slaves != changed[0] {
			k.Fatalf("%v were told that they changed it, and it is %d", changed, c.Slaves)
		}
	}
}

func configStays(k *kit) {
	a, b := k.connect(), k.connect()
	k.must(a.SetConfig(k.Context(), registry.Config{Slaves: 2}, 0))
	_, version := k.config(a)
	k.must(a.Close())
	k.timeouts(2)
	if c, v := k.config(b); c.Slaves != 2 || v != version {
		k.Errorf("config %+v, version %d; want version %d", c, v, version)
	}
}
