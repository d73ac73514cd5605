package registrytest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"rideshare/internal/registry"
)

// patience is how long the suite waits for what must come.
const patience = 20 * time.Second

// kit is what a scenario works with: short words for what scenarios do.
type kit struct {
	*testing.T
	Env
	features Features
}

func (k *kit) need(present bool, what string) {
	k.Helper()
	if !present {
		k.Skip("no way to " + what + " here")
	}
}

func (k *kit) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) want(err, want error) {
	k.Helper()
	if !errors.Is(err, want) {
		k.Fatalf("error %v, want %v", err, want)
	}
}

// settle waits until nothing more comes of what was done.
func (k *kit) settle() { time.Sleep(k.features.Settle) }

// timeouts waits for so many session time-outs.
func (k *kit) timeouts(n float64) {
	time.Sleep(time.Duration(n * float64(k.features.Timeout)))
}

// lasted checks that half a session time-out at least has passed since a session was cut off: so
// much it had left.
func (k *kit) lasted(since time.Time) {
	k.Helper()
	if d := time.Since(since); d < k.features.Timeout/2 {
		k.Errorf("the session was over after %s, with a time-out of %s", d, k.features.Timeout)
	}
}

func (k *kit) connect() registry.Registry {
	r := k.Connect()
	k.Cleanup(func() {
		if err := r.Close(); err != nil {
			k.Errorf("close: %v", err)
		}
	})
	return r
}

// join returns a session in which the worker is registered.
func (k *kit) join(worker string) registry.Registry {
	k.Helper()
	r := k.connect()
	k.must(r.Register(k.Context(), registry.Member{ID: worker}))
	return r
}

// eventually waits until the condition holds.
func (k *kit) eventually(what string, holds func() bool) {
	k.Helper()
	for end := time.Now().Add(patience); !holds(); k.settle() {
		if time.Now().After(end) {
			k.Fatalf("still not: %s", what)
		}
	}
}

// back waits until the session can reach the registry again.
func (k *kit) back(r registry.Registry) {
	k.Helper()
	k.eventually("the session is back", func() bool {
		_, err := r.Members(k.Context())
		return err == nil
	})
}

// ids returns the ids of those registered.
func (k *kit) ids(r registry.Registry) []string {
	k.Helper()
	all, err := r.Members(k.Context())
	k.must(err)
	var ids []string
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

// present waits until exactly these are registered.
func (k *kit) present(r registry.Registry, ids ...string) {
	k.Helper()
	k.eventually("exactly these are registered", func() bool { return slices.Equal(k.ids(r), ids) })
}

func (k *kit) elect(r registry.Registry, worker string, above, from uint64) registry.Master {
	k.Helper()
	epoch, err := r.Elect(k.Context(), worker, above, from)
	k.must(err)
	return registry.Master{Worker: worker, Epoch: epoch}
}

// epoch checks which epoch is the latest.
func (k *kit) epoch(r registry.Registry, want uint64) {
	k.Helper()
	got, err := r.Epoch(k.Context())
	k.must(err)
	if got != want {
		k.Fatalf("the latest epoch is %d, want %d", got, want)
	}
}

// refuse checks that the worker is not elected.
func (k *kit) refuse(r registry.Registry, worker string, from uint64) {
	k.Helper()
	_, err := r.Elect(k.Context(), worker, 0, from)
	k.want(err, registry.ErrTaken)
}

// master checks who is master; the zero Master stands for nobody.
func (k *kit) master(r registry.Registry, want registry.Master) {
	k.Helper()
	got, err := r.Master(k.Context())
	if want == (registry.Master{}) {
		k.want(err, registry.ErrNotFound)
		return
	}
	k.must(err)
	if got != want {
		k.Fatalf("master %v, want %v", got, want)
	}
}
