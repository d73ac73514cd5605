package registrytest

import (
	"reflect"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
)

func members() []scenario {
	return []scenario{
		{"members are seen by all, sorted by id", membersSeen},
		{"a member replaces its own description", memberReplaced},
		{"a closed session takes its members along", membersLeave},
		{"a ghost is replaced, and its end does not harm the new one", ghost},
		{"an evicted worker loses membership and mastership in one change", evict},
		{"evicting a slave leaves the master", evictSlave},
	}
}

func membersSeen(k *kit) {
	observer := k.connect()
	k.present(observer)
	full := registry.Member{
		ID: "p1.2", Pair: "p1", PID: 4711, Addr: "host:1/x", Role: cluster.Slave,
		State: cluster.Serving, LogID: "log", Position: db.Position{Epoch: 3, Seq: 1 << 60},
		Reads: 1 << 60, Database: "no \"answer\"\n",
	}
	k.join("p2.1")
	k.must(k.connect().Register(k.Context(), full))
	k.join("p1.10")
	k.present(observer, "p1.10", "p1.2", "p2.1")
	all, err := observer.Members(k.Context())
	k.must(err)
	if !reflect.DeepEqual(all[1], full) {
		k.Errorf("member %+v, want %+v", all[1], full)
	}
}

func memberReplaced(k *kit) {
	observer, r := k.connect(), k.join("w")
	for _, state := range []cluster.State{cluster.Joining, cluster.Serving} {
		k.must(r.Register(k.Context(), registry.Member{ID: "w", State: state}))
		k.eventually("the new state is seen", func() bool {
			all, err := observer.Members(k.Context())
			k.must(err)
			return len(all) == 1 && all[0].State == state
		})
	}
}

func membersLeave(k *kit) {
	observer, r := k.join("stays"), k.join("a")
	k.must(r.Register(k.Context(), registry.Member{ID: "b"}))
	k.elect(r, "a", 0, 0)
	k.present(observer, "a", "b", "stays")
	k.must(r.Close())
	k.settle()
	k.present(observer, "stays")
	k.master(observer, registry.Master{})
}

func ghost(k *kit) {
	k.need(k.Kill != nil, "kill")
	observer, old := k.connect(), k.join("w")
	k.must(old.Register(k.Context(), registry.Member{ID: "other"}))
	k.Kill(old)
	k.must(k.connect().Register(k.Context(), registry.Member{ID: "w", PID: 2}))
	k.eventually("the ghost's other node is gone", func() bool { return len(k.ids(observer)) == 1 })
	k.timeouts(2)
	all, err := observer.Members(k.Context())
	k.must(err)
	if len(all) != 1 || all[0].PID != 2 {
		k.Errorf("members %+v, want the new w alone", all)
	}
}

func evict(k *kit) {
	observer, r := k.connect(), k.join("w")
	k.join("slave")
	first := k.elect(r, "w", 0, 0)
	k.present(observer, "slave", "w")
	k.must(observer.Evict(k.Context(), "w"))
	k.must(observer.Evict(k.Context(), "w")) // nothing is left, which is no error
	k.master(observer, registry.Master{})
	k.present(observer, "slave")
	// What was evicted is free at once, and the owner's session still works.
	if second := k.elect(observer, "slave", 0, 0); second.Epoch <= first.Epoch {
		k.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
	}
	k.must(r.Register(k.Context(), registry.Member{ID: "w"}))
	k.present(observer, "slave", "w")
}

func evictSlave(k *kit) {
	r := k.join("slave")
	m := k.elect(r, "master", 0, 0) // elected without being registered
	k.must(r.Evict(k.Context(), "slave"))
	k.master(r, m)
	k.must(r.Evict(k.Context(), "master"))
	k.master(r, registry.Master{})
}
