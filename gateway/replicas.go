package gateway

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// refresh is the age at which the addresses of a function are looked up again.
	refresh = time.Second
	// lookupTimeout bounds one lookup. Requests wait for it while no address is known.
	lookupTimeout = time.Second
)

var errNoReplica = errors.New("its name has no address")

// A Lookup returns the addresses of a host.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// replicas are the addresses at which a function answers: those that DNS gives for its name.
type replicas struct {
	host, port string
	lookup     Lookup
	lookups    singleflight.Group

	mu     sync.Mutex
	addrs  []netip.Addr
	looked time.Time // when the last lookup began
	next   int
}

// pick returns the address of the next replica. While it knows addresses, it looks the name up once a second, in
// the background. Otherwise it waits for a lookup.
func (s *replicas) pick(ctx context.Context) (netip.Addr, error) {
	addr, due := s.choose()
	if due {
		done := s.lookups.DoChan("", func() (any, error) { s.renew(); return nil, nil })
		if !addr.IsValid() {
			select {
			case <-done:
			case <-ctx.Done():
				return netip.Addr{}, ctx.Err()
			}
			addr, _ = s.choose()
		}
	}
	if !addr.IsValid() {
		return netip.Addr{}, errNoReplica
	}
	return addr, nil
}

// choose returns the next address, which is not valid if there is none, and reports whether a lookup is due.
func (s *replicas) choose() (addr netip.Addr, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.addrs) == 0 {
		return netip.Addr{}, true
	}
	s.next++
	return s.addrs[s.next%len(s.addrs)], time.Since(s.looked) >= refresh
}

// renew looks the name up. Addresses stay if DNS does not answer.
func (s *replicas) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	begun := time.Now()
	addrs, err := s.lookup(ctx, s.host)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = begun
	if err == nil && len(addrs) > 0 {
		s.addrs = slices.SortedFunc(slices.Values(addrs), netip.Addr.Compare)
	}
}

// drop forgets an address that takes no connections until the next lookup.
func (s *replicas) drop(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addrs = slices.DeleteFunc(slices.Clone(s.addrs), func(a netip.Addr) bool { return a == addr })
}

// resolve is the Lookup that asks DNS.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return addrs, err
}
