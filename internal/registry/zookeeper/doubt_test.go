package zookeeper_test

import (
	"context"
	"errors"
	"time"

	"rideshare/internal/registry"
	"rideshare/internal/registry/zookeeper"
)

// firstNodes loses the connection while the nodes are made that are always there.
func firstNodes(s *site) {
	for _, f := range []fault{cutBefore, cutAfter} {
		p := newProxy(s.T, s.server.Addr())
		met := p.Once(opCreate, f)
		s.wantMembers(s.open(p.Addr()))
		<-met
		s.root += "/below"
	}
}

// abandonedElection ends the caller's context while the server's answer is on its way. The
// candidate does not know that it is master: it must not stay so.
func abandonedElection(s *site) {
	p := newProxy(s.T, s.server.Addr())
	r, observer := s.open(p.Addr()), s.observer()
	s.must(r.Register(s.Context(), registry.Member{ID: "w"}))
	ctx, cancel := context.WithCancel(s.Context())
	met := p.Once(opMulti, holdAnswer)
	go func() {
		<-met
		s.eventually(observer, "there is a master", func() bool {
			_, err := observer.Master(s.Context())
			return err == nil
		})
		cancel()
	}()
	_, err := r.Elect(ctx, "w", 0, 0)
	s.want(err, context.Canceled)
	s.want(err, registry.ErrUnavailable)
	close(p.release)
	s.vacant(observer)
	s.elect(observer, registry.Master{Worker: "other", Epoch: 2}, 0)
	s.wantMembers(observer, "w") // the session goes on
}

// doubtfulElection loses the connection at the election, and for longer than the caller waits.
func doubtfulElection(s *site) {
	p := newProxy(s.T, s.server.Addr())
	r, observer := s.open(p.Addr()), s.observer()
	s.must(r.Register(s.Context(), registry.Member{ID: "w"}))
	ctx, cancel := context.WithTimeout(s.Context(), timeout/4)
	defer cancel()
	p.CutAfter(opMulti)
	_, err := r.Elect(ctx, "w", 0, 0)
	s.want(err, registry.ErrUnavailable)
	s.wantMaster(observer, registry.Master{Worker: "w", Epoch: 1})
	p.Heal()
	s.vacant(observer)
	s.wantMembers(observer, "w")
}

// boundedCalls checks that a call ends with its context while the server does not answer, and by
// itself soon after. This server still accepts sessions, which is the worst case: one that does
// not is given up sooner.
func boundedCalls(s *site) {
	const short = timeout / 2
	p := newProxy(s.T, s.server.Addr())
	config := s.config(p.Addr())
	config.SessionTimeout = short
	r, err := zookeeper.Open(config)
	s.must(err)
	defer r.Close() //nolint:errcheck // it never fails
	s.wantMembers(r)
	p.Inject(func(int32) fault { return holdAnswer })
	defer close(p.release)
	ctx, cancel := context.WithTimeout(s.Context(), short/10)
	defer cancel()
	began := time.Now()
	_, err = r.Members(ctx)
	s.want(err, context.DeadlineExceeded)
	if d := time.Since(began); d > short {
		s.Errorf("a call of %s took %s", short/10, d)
	}
	began = time.Now()
	_, err = r.Members(s.Context())
	s.want(err, registry.ErrUnavailable)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("error %v: there was no deadline", err)
	}
	if d := time.Since(began); d > 6*short {
		s.Errorf("a call without a deadline took %s", d)
	}
}
