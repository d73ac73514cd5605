package watcher

import (
	"testing"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
)

func TestLeaderOf(t *testing.T) {
	member := func(id string, role cluster.Role, epoch uint64, leader registry.Master) registry.Member {
		return registry.Member{ID: id, Role: role, Position: db.Position{Epoch: epoch, Seq: 9}, Leader: leader}
	}
	first, second := registry.Master{Worker: "a", Epoch: 2}, registry.Master{Worker: "b", Epoch: 3}
	for name, test := range map[string]struct {
		members []registry.Member
		want    registry.Master
	}{
		"nobody is there": {},
		"nobody has read a marker": {
			[]registry.Member{member("a", cluster.Slave, 2, registry.Master{})}, registry.Master{},
		},
		"the master has not told yet": {
			[]registry.Member{member("a", cluster.Master, 2, registry.Master{}), member("b", cluster.Slave, 1, registry.Master{})}, first,
		},
		"a deposed master has not read of its successor": {
			[]registry.Member{member("a", cluster.Master, 2, first), member("b", cluster.Master, 3, second), member("c", cluster.Slave, 2, first)}, second,
		},
		"the master is gone": {
			[]registry.Member{member("b", cluster.Slave, 2, first)}, first,
		},
	} {
		if got := leaderOf(test.members); registry.Master(got) != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
