package auth

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rideshare/internal/db"
)

func cheap() Params { return Params{Memory: 8, Time: 1, Threads: 1} }

func TestHashAndVerify(t *testing.T) {
	h := NewHasher(DefaultParams(), 0)
	hash, err := h.Hash(t.Context(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash = %s", hash)
	}
	if again, _ := h.Hash(t.Context(), "secret"); again == hash {
		t.Error("two hashes have the same salt")
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false} {
		if got, err := h.Verify(t.Context(), password, hash); got != want || err != nil {
			t.Errorf("Verify(%q) = %v, %v", password, got, err)
		}
	}
	// A hash of other costs than today's still verifies.
	if ok, err := NewHasher(cheap(), 1).Verify(t.Context(), "secret", hash); !ok || err != nil {
		t.Errorf("with another configuration: %v, %v", ok, err)
	}
}

func TestVerifyNobody(t *testing.T) {
	h := NewHasher(cheap(), 1)
	if ok, err := h.Verify(t.Context(), "secret", ""); ok || err != nil {
		t.Errorf("a user who does not exist: %v, %v", ok, err)
	}
	if p, _, _, err := decode(h.dummy); err != nil || p != cheap() {
		t.Errorf("the dummy does not cost the same: %+v, %v", p, err)
	}
}

func TestVerifyRefusesBadHashes(t *testing.T) {
	h := NewHasher(cheap(), 1)
	for _, hash := range []string{
		"secret",
		"$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
		"$argon2id$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
		"$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$aGFzaA",
		"$argon2id$v=19$m=4000000000,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
		"$argon2id$v=19$m=1048576,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=8,t=64,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=65536,t=10,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=8,t=1,p=64$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=8,t=1,p=1$$",
		"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
	} {
		if ok, err := h.Verify(t.Context(), "secret", hash); ok || !errors.Is(err, errBadHash) {
			t.Errorf("Verify(%q) = %v, %v", hash, ok, err)
		}
	}
}

func TestHashRespectsContext(t *testing.T) {
	h := NewHasher(cheap(), 1)
	h.slots <- struct{}{} // somebody else's turn
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := h.Hash(ctx, "secret"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	<-h.slots
	if _, err := h.Hash(ctx, "secret"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a free slot: %v", err)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	h := NewHasher(cheap(), 1)
	h.slots <- struct{}{} // somebody else's turn
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range cap(h.queue) {
		waiting.Go(func() { _, _ = h.Hash(ctx, "secret") })
	}
	for len(h.queue) < cap(h.queue) {
		runtime.Gosched()
	}
	if _, err := h.Hash(t.Context(), "secret"); db.KindOf(err) != db.Unavailable {
		t.Errorf("beside %d others: %v", cap(h.queue), err)
	}
	cancel()
	waiting.Wait()
	<-h.slots
	if _, err := h.Hash(t.Context(), "secret"); err != nil {
		t.Error(err)
	}
}

func TestHashesAtOnceAreBounded(t *testing.T) {
	h := NewHasher(cheap(), 2)
	var most atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := h.Hash(t.Context(), "secret"); err != nil {
				t.Error(err)
			}
			if n := int64(len(h.slots)); n > most.Load() {
				most.Store(n)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d at once", most.Load())
	}
}
