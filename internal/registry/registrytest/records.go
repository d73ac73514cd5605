package registrytest

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

func records() []scenario {
	return []scenario{
		{"records are kept once, the newest first, and outlive their session", recordsStay},
		{"of records that are kept at the same time none is lost", recordsTogether},
	}
}

func (k *kit) history(r registry.Registry) []cluster.Record {
	k.Helper()
	h, err := r.History(k.Context())
	k.must(err)
	return h
}

func recordsStay(k *kit) {
	a, b := k.connect(), k.connect()
	if h := k.history(a); len(h) != 0 {
		k.Fatalf("%v before the first", h)
	}
	var want []cluster.Record
	for i := range 3 {
		r := cluster.Record{
			ID: fmt.Sprint(i), At: time.Date(2026, 11, 30, 12, 0, i, 0, time.UTC), Who: "alice@laptop", Token: "5f2c9a01",
			From: "172.20.0.1", What: "kill the master", Result: "done",
		}
		k.must(a.Record(k.Context(), r))
		k.must(a.Record(k.Context(), r))
		want = append([]cluster.Record{r}, want...)
	}
	k.must(a.Close())
	k.timeouts(2)
	k.eventually("the other session has them", func() bool { return reflect.DeepEqual(k.history(b), want) })
}

func recordsTogether(k *kit) {
	all := candidates(k)
	var done sync.WaitGroup
	for i, r := range all {
		done.Go(func() {
			for n := range 5 {
				if err := r.Record(k.Context(), cluster.Record{ID: fmt.Sprintf("%d.%d", i, n), What: "a"}); err != nil {
					k.Error(err)
				}
			}
		})
	}
	done.Wait()
	k.settle()
	k.eventually("all are there", func() bool { return len(k.history(all[0])) == 5*len(all) })
}
