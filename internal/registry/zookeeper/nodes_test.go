package zookeeper

import (
	"testing"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
)

// FuzzDecode lets every decoder read anything. What one accepts it accepts again as it is written
// by us, with the same meaning.
func FuzzDecode(f *testing.F) {
	for _, node := range []any{
		epochNode{1 << 60},
		masterNode{registry.Master{Worker: "p1.1", Epoch: 3}, "nonce"},
		configNode{registry.Config{
			Slaves: 2, Auto: true, Switch: registry.Switch{To: "p2.1", From: 3},
			Seed: registry.Seed{Worker: "p1.1", At: db.Position{Epoch: 1, Seq: 2}},
		}, "nonce"},
		leaderNode{"watcher"},
		registry.Member{ID: "w", Pair: "p", PID: 1, Role: cluster.Slave, State: cluster.Serving, Database: "\"ok\"\n"},
	} {
		f.Add(encode(node))
	}
	for _, nonsense := range []string{
		"", "null", "{}", "[]", "{", `{"epoch":-1}`, `{"epoch":1}{}`, `{"epoch":1,"x":1}`, `{"epoch":18446744073709551615}`,
		`{"worker":"","epoch":1,"nonce":""}`, `{"slaves":-1}`, `{"id":"other"}`, `{"id":"w","state":"x"}`, `{"id":"w","role":"x"}`,
		`{"id":"w","position":"1"}`, "{\"id\":\"\xff\"}", `{"watcher":""}`,
	} {
		f.Add([]byte(nonsense))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		again(t, data, decodeEpoch, func(e uint64) any { return epochNode{e} })
		again(t, data, decodeMaster, func(m masterNode) any { return m })
		again(t, data, decodeConfig, func(c configNode) any { return c })
		again(t, data, decodeLeader, func(w string) any { return leaderNode{w} })
		again(t, data, func(data []byte) (registry.Member, error) { return decodeMember("w", data) }, func(m registry.Member) any { return m })
	})
}

func again[T comparable](t *testing.T, data []byte, decode func([]byte) (T, error), node func(T) any) {
	t.Helper()
	first, err := decode(data)
	var none T
	if err != nil {
		if first != none {
			t.Errorf("%q: refused, and yet %+v", data, first)
		}
		return
	}
	if written := encode(node(first)); len(written) <= maxNode {
		second, err := decode(written)
		if err != nil || second != first {
			t.Errorf("%q: first %+v, then %+v, %v", data, first, second, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, data := range []string{
		"", "null", "[]", `"w"`, "{", `{"id":"w"}{}`, `{"id":"w","x":1}`, `{"id":"v"}`, `{}`, `{"id":"w","state":"x"}`,
		`{"id":"w","role":"x"}`, `{"id":"w","position":"x"}`, "{\"id\":\"w\",\"addr\":\"\xff\"}", " {\"id\":\"w\"}",
	} {
		if m, err := decodeMember("w", []byte(data)); err == nil {
			t.Errorf("%q is read as %+v", data, m)
		}
	}
}
