package zookeeper_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"rideshare/internal/registry"
)

// randomElections lets sessions stand for election while their connections are lost at random, and
// their callers do not always wait. No epoch has two masters, each is above all that were known
// when its candidate stood, and no mastership stays of which nobody knows.
func randomElections(s *site) {
	const candidates, elections = 5, 150
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	var mu sync.Mutex
	masters := map[uint64]string{}
	var latest uint64
	var all sync.WaitGroup
	for i := range candidates {
		dice := &dice{rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		p := newProxy(s.T, s.server.Addr())
		r := s.open(p.Addr())
		s.wantMembers(r) // it is there
		p.Inject(dice.fault)
		all.Go(func() {
			worker := fmt.Sprintf("w%d", i)
			for range elections {
				mu.Lock()
				before := latest
				mu.Unlock()
				epoch, err := stand(s.Context(), r, worker, dice)
				if err != nil {
					continue
				}
				mu.Lock()
				if other, twice := masters[epoch]; twice || epoch <= before {
					s.Errorf("%s has epoch %d, which %q has; it stood after %d", worker, epoch, other, before)
				}
				masters[epoch] = worker
				latest = max(latest, epoch)
				mu.Unlock()
				abdicate(s.Context(), r, registry.Master{Worker: worker, Epoch: epoch})
			}
			p.Inject(nil)
		})
	}
	all.Wait()
	if len(masters) < elections/4 {
		s.Errorf("only %d of %d were won", len(masters), candidates*elections)
	}
	s.Logf("%d won", len(masters))
	s.vacant(s.observer())
}

// stand stands for election; every now and then in place of the present master, and without
// patience.
func stand(ctx context.Context, r registry.Registry, worker string, d *dice) (uint64, error) {
	var from uint64
	if d.one(3) {
		if m, err := r.Master(ctx); err == nil {
			from = m.Epoch
		}
	}
	if d.one(4) {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, time.Duration(d.n(8000))*time.Microsecond)
		defer cancel()
	}
	return r.Elect(ctx, worker, 0, from)
}

func abdicate(ctx context.Context, r registry.Registry, m registry.Master) {
	for err := registry.ErrUnavailable; errors.Is(err, registry.ErrUnavailable); {
		err = r.Resign(ctx, m)
	}
}

// dice are thrown by several goroutines.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

func (d *dice) one(in int) bool { return d.n(in) == 0 }

func (d *dice) fault(op int32) fault {
	switch n := d.n(100); {
	case op == opMulti && n < 12:
		return cutBefore
	case op == opMulti && n < 24, n < 2:
		return cutAfter
	}
	return pass
}
