package registrytest

import (
	"errors"
	"fmt"
	"sync"

	"rideshare/internal/registry"
)

func elections() []scenario {
	return []scenario{
		{"of many candidates exactly one wins each epoch", oneWins},
		{"an epoch is the first above all earlier ones and above the given one", above},
		{"a planned change replaces the master of that epoch only", planned},
		{"of many planned changes exactly one happens", onePlanned},
		{"a master reclaims its epoch unless there has been a later one", reclaim},
		{"resigning from an old epoch is harmless", resign},
		{"the latest epoch outlives its master", epochs},
	}
}

// contest lets twenty candidates stand at once and returns the one that won.
func contest(k *kit, candidates []registry.Registry, from uint64) registry.Master {
	k.Helper()
	var mu sync.Mutex
	var won []registry.Master
	var all sync.WaitGroup
	for i, r := range candidates {
		all.Go(func() {
			worker := fmt.Sprintf("w%d", i)
			epoch, err := r.Elect(k.Context(), worker, 0, from)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, registry.Master{Worker: worker, Epoch: epoch})
			} else if !errors.Is(err, registry.ErrTaken) {
				k.Error(err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		k.Fatalf("%d winners: %v", len(won), won)
	}
	return won[0]
}

func candidates(k *kit) []registry.Registry {
	var all []registry.Registry
	for range 20 {
		all = append(all, k.connect())
	}
	return all
}

func oneWins(k *kit) {
	all, observer := candidates(k), k.connect()
	var last uint64
	for round := range 10 {
		m := contest(k, all, 0)
		if m.Epoch <= last {
			k.Fatalf("epoch %d after %d", m.Epoch, last)
		}
		last = m.Epoch
		k.master(all[round], m)
		switch round % 2 {
		case 0:
			k.must(observer.Evict(k.Context(), m.Worker))
		case 1:
			k.must(observer.Resign(k.Context(), m))
		}
	}
}

func onePlanned(k *kit) {
	all := candidates(k)
	m := k.elect(all[0], "old", 0, 0)
	for range 5 {
		next := contest(k, all, m.Epoch)
		if next.Epoch <= m.Epoch {
			k.Fatalf("epoch %d after %d", next.Epoch, m.Epoch)
		}
		m = next
	}
}

func above(k *kit) {
	r := k.connect()
	for _, step := range []struct{ above, want uint64 }{
		{0, 1}, {0, 2}, {100, 101}, {100, 102}, {7, 103}, {103, 104}, {1 << 60, 1<<60 + 1},
	} {
		m := k.elect(r, "w", step.above, 0)
		if m.Epoch != step.want {
			k.Fatalf("epoch %d above %d, want %d", m.Epoch, step.above, step.want)
		}
		k.master(r, m)
		k.must(r.Resign(k.Context(), m))
	}
}

func epochs(k *kit) {
	a, observer := k.join("a"), k.connect()
	k.epoch(observer, 0)
	m := k.elect(a, "a", 6, 0)
	k.epoch(observer, 7)
	k.must(a.Resign(k.Context(), m))
	k.epoch(observer, 7)
	k.must(a.Reclaim(k.Context(), registry.Master{Worker: "a", Epoch: 9}))
	k.epoch(observer, 9)
	k.must(observer.Evict(k.Context(), "a"))
	k.epoch(observer, 9)
	k.elect(a, "a", 0, 0)
	k.must(a.Close())
	k.epoch(k.connect(), 10)
}

func planned(k *kit) {
	a, b := k.connect(), k.connect()
	old := k.elect(a, "a", 0, 0)
	k.refuse(b, "b", 0)
	k.refuse(b, "b", old.Epoch+1)
	k.refuse(a, "a", 0) // being master itself is no exception
	m := k.elect(b, "b", 0, old.Epoch)
	if m.Epoch != old.Epoch+1 {
		k.Errorf("epoch %d after %d", m.Epoch, old.Epoch)
	}
	k.master(a, m)
	k.refuse(a, "a", old.Epoch)
	k.must(a.Close()) // the old master's end is not the new one's
	k.settle()
	k.master(b, m)
	k.must(b.Resign(k.Context(), m))
	k.elect(b, "b", 0, m.Epoch) // nobody is master: from does not matter
}

func reclaim(k *kit) {
	a, b := k.connect(), k.connect()
	m := k.elect(a, "a", 0, 0)
	k.want(b.Reclaim(k.Context(), m), registry.ErrTaken) // there is a master
	k.must(b.Evict(k.Context(), "a"))
	k.must(a.Reclaim(k.Context(), m))
	k.master(b, m)

	k.must(b.Evict(k.Context(), "a"))
	later := k.elect(b, "b", 0, 0)
	k.want(a.Reclaim(k.Context(), m), registry.ErrTaken)
	k.must(b.Resign(k.Context(), later))
	k.want(a.Reclaim(k.Context(), m), registry.ErrTaken) // nobody is master, but b was
	k.master(b, registry.Master{})

	// A registry that lost its data learns the epoch from the master.
	ahead := registry.Master{Worker: "a", Epoch: later.Epoch + 10}
	k.must(a.Reclaim(k.Context(), ahead))
	k.master(b, ahead)
	k.must(a.Close())
	k.settle()
	if next := k.elect(b, "b", 0, 0); next.Epoch != ahead.Epoch+1 {
		k.Errorf("epoch %d after %d was reclaimed", next.Epoch, ahead.Epoch)
	}
}

func resign(k *kit) {
	r := k.connect()
	k.must(r.Resign(k.Context(), registry.Master{Worker: "a", Epoch: 1}))
	old := k.elect(r, "a", 0, 0)
	m := k.elect(r, "a", 0, old.Epoch)
	k.must(r.Resign(k.Context(), old))
	k.must(r.Resign(k.Context(), registry.Master{Worker: "b", Epoch: m.Epoch}))
	k.master(r, m)
	k.must(r.Resign(k.Context(), m))
	k.master(r, registry.Master{})
}
