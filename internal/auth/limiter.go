package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rideshare/internal/httpapi"
)

// Rate is how often something may be tried: Burst times at once, and then PerSecond.
type Rate struct {
	PerSecond float64
	Burst     int
}

// LimiterConfig is the configuration of a Limiter. Zero fields have defaults.
type LimiterConfig struct {
	Pair     Rate             // of a user and an address; default: 10 at once, then one in 2 s
	Username Rate             // default: 100 at once, then 2 a second: more than one address may try
	Address  Rate             // default: 100 at once, then 10 a second: many users can share one
	Keys     int              // how many of each are remembered; default 20,000
	Now      func() time.Time // default: time.Now
}

// SignUps returns the limits of signing up: people of one address may do so together, and a program may try
// again.
func SignUps() LimiterConfig {
	of := Rate{PerSecond: 0.5, Burst: 100}
	return LimiterConfig{Pair: of, Username: of, Address: Rate{PerSecond: 10, Burst: 1000}}
}

// Limiter slows down guessing at passwords. One address can neither try a user's password often, nor use up
// what others may try: the limit of a user alone is for guesses that come from many addresses. An address
// from which the user has signed in before is exempt from that one. A Limiter may be used concurrently.
type Limiter struct {
	now                         func() time.Time
	pairs, usernames, addresses *buckets
	known                       *buckets // of pairs that have signed in
}

// NewLimiter returns a Limiter.
func NewLimiter(c LimiterConfig) *Limiter {
	if c.Pair == (Rate{}) {
		c.Pair = Rate{PerSecond: 0.5, Burst: 10}
	}
	if c.Username == (Rate{}) {
		c.Username = Rate{PerSecond: 2, Burst: 100}
	}
	if c.Address == (Rate{}) {
		c.Address = Rate{PerSecond: 10, Burst: 100}
	}
	if c.Keys == 0 {
		c.Keys = 20_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Limiter{
		now: c.Now, pairs: newBuckets(c.Pair, c.Keys), usernames: newBuckets(c.Username, c.Keys),
		addresses: newBuckets(c.Address, c.Keys), known: newBuckets(Rate{}, c.Keys),
	}
}

// Allow returns nil when one more try as that user from that address may be made, else
// a 429 that says how long to wait.
func (l *Limiter) Allow(username, address string) error {
	now, from := l.now(), addressKey(address)
	pair := pairKey(username, from)
	if wait := l.addresses.take(from, now); wait > 0 {
		return httpapi.TooManyRequests(wait, "too many tries from your address")
	}
	if wait := l.pairs.take(pair, now); wait > 0 {
		return httpapi.TooManyRequests(wait, "too many tries as this user from your address")
	}
	if l.known.has(pair) {
		return nil
	}
	if wait := l.usernames.take(username, now); wait > 0 {
		return httpapi.TooManyRequests(wait, "too many tries as this user")
	}
	return nil
}

// Succeeded tells the limiter that the user has signed in from that address.
func (l *Limiter) Succeeded(username, address string) {
	l.known.bucket(pairKey(username, addressKey(address)))
}

// pairKey is unlike that of any other pair: no address has a space.
func pairKey(username, address string) string { return address + " " + username }

// addressKey leaves out the port, and of IPv6 what a single client can choose freely.
func addressKey(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return "unknown"
		}
		a = ap.Addr()
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}

// buckets holds a token bucket per key, for at most most keys: in two generations, the older of
// which is dropped when the younger is full. A key in use moves to the younger.
type buckets struct {
	rate Rate
	most int

	mu             sync.Mutex
	younger, older map[string]*rate.Limiter
}

func newBuckets(r Rate, most int) *buckets {
	return &buckets{rate: r, most: most, younger: map[string]*rate.Limiter{}}
}

// take takes a token and returns 0, or returns how long it takes until there is one.
func (b *buckets) take(key string, now time.Time) time.Duration {
	reservation := b.bucket(key).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// has reports whether a key is remembered.
func (b *buckets) has(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.younger[key] != nil || b.older[key] != nil
}

func (b *buckets) bucket(key string) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.younger[key]; ok {
		return l
	}
	l, ok := b.older[key]
	if !ok {
		l = rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst)
	}
	if len(b.younger) >= (b.most+1)/2 {
		b.older, b.younger = b.younger, map[string]*rate.Limiter{}
	}
	b.younger[key] = l
	return l
}
