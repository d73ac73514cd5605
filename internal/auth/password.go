package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"rideshare/internal/db"
)

// Params are the costs of argon2id.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultParams returns OWASP's: 19 MiB, two passes, one thread.
func DefaultParams() Params { return Params{Memory: 19 * 1024, Time: 2, Threads: 1} }

const (
	saltLength = 16
	hashLength = 32

	// What a stored hash can cost at most, some ten times what ours do: anybody can have it computed, and a
	// backup may be crafted.
	maxMemory  = 64 << 10 // KiB
	maxTime    = 10
	maxThreads = 4
	maxCost    = 256 << 10 // KiB times passes
)

// maxWaiting is how many wait for each of the slots of a Hasher. A hash takes some 20 ms, and requests have
// 10 s.
const maxWaiting = 200

// errBadHash: a stored hash is not one of ours.
var errBadHash = errors.New("auth: malformed password hash")

// Hasher hashes and verifies passwords with argon2id. It may be used concurrently.
type Hasher struct {
	params Params
	slots  chan struct{} // each hash takes Memory: so many at once, and no more
	queue  chan struct{} // of those that compute or wait
	dummy  string
}

// NewHasher returns a Hasher that computes at most that many hashes at once; 0 means one per
// processor, but no more than 8.
func NewHasher(p Params, atOnce int) *Hasher {
	if atOnce == 0 {
		atOnce = min(runtime.GOMAXPROCS(0), 8)
	}
	// What the dummy is a hash of does not matter: only that it costs the same to compare with.
	dummy := encode(p, make([]byte, saltLength), make([]byte, hashLength))
	return &Hasher{params: p, slots: make(chan struct{}, atOnce), queue: make(chan struct{}, atOnce*(1+maxWaiting)), dummy: dummy}
}

// Hash returns the hash of the password as a PHC string. It returns ctx.Err() when ctx ends before
// it is its turn.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	sum, err := h.compute(ctx, password, salt, h.params)
	if err != nil {
		return "", err
	}
	return encode(h.params, salt, sum), nil
}

// Verify reports whether hash is one of the password. An empty hash, that of a user who does not
// exist, is false after the same time. It returns ctx.Err() when ctx ends before it is its turn.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (bool, error) {
	exists := hash != ""
	if !exists {
		hash = h.dummy
	}
	p, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	got, err := h.compute(ctx, password, salt, p)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && exists, nil
}

func (h *Hasher) compute(ctx context.Context, password string, salt []byte, p Params) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, db.Errorf(db.Unavailable, "too many passwords are being checked")
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return nil, err // both were ready, and select takes either
	}
	return argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, hashLength), nil
}

func encode(p Params, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func decode(hash string) (p Params, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errBadHash
	}
	var threads uint32
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &threads); err != nil || n != 3 {
		return p, nil, nil, errBadHash
	}
	if threads == 0 || threads > maxThreads || p.Time == 0 ||
		p.Time > maxTime || p.Memory > maxMemory || p.Time*p.Memory > maxCost {
		return p, nil, nil, errBadHash
	}
	p.Threads = uint8(threads)
	salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	if err != nil || len(salt) == 0 {
		return p, nil, nil, errBadHash
	}
	sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err != nil || len(sum) != hashLength {
		return p, nil, nil, errBadHash
	}
	return p, salt, sum, nil
}
