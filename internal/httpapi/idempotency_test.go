package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func TestIdempotencyIDsNeverMeet(t *testing.T) {
	alice := WithSubject(t.Context(), Account{Username: "alice", ID: "a1", Generation: "g1"})
	next := WithSubject(t.Context(), Account{Username: "alice", ID: "a2", Generation: "g1"})
	old := WithSubject(t.Context(), Account{Username: "alice"})
	ids := map[string]string{}
	for name, id := range map[string]string{
		"plain":               (&Idempotency{Key: "k"}).ID(t.Context(), "op", "p"),
		"another key":         (&Idempotency{Key: "l"}).ID(t.Context(), "op", "p"),
		"another operation":   (&Idempotency{Key: "k"}).ID(t.Context(), "oq", "p"),
		"another path":        (&Idempotency{Key: "k"}).ID(t.Context(), "op", "q"),
		"two path parameters": (&Idempotency{Key: "k"}).ID(t.Context(), "op", "p", ""),
		"an account's":        (&Idempotency{Key: "k"}).ID(alice, "op", "p"),
		"the next one's":      (&Idempotency{Key: "k"}).ID(next, "op", "p"),
		"an old account's":    (&Idempotency{Key: "k"}).ID(old, "op", "p"),
		"shifted":             (&Idempotency{Key: "kp"}).ID(t.Context(), "op", ""),
	} {
		if other, met := ids[id]; met || len(id) != 64 {
			t.Errorf("%s has the id %q of %s", name, id, other)
		}
		ids[id] = name
	}
	if id := (&Idempotency{}).ID(alice, "op"); id != "" {
		t.Errorf("without a key: %q", id)
	}
	if a, b := (&Idempotency{Key: "k"}).ID(alice, "op", "p"), (&Idempotency{Key: "k"}).ID(alice, "op", "p"); a != b {
		t.Errorf("the same is not the same: %q, %q", a, b)
	}
	renewed := WithSubject(t.Context(), Account{Username: "alice", ID: "a1", Generation: "g2"})
	if a, b := (&Idempotency{Key: "k"}).ID(alice, "op", "p"), (&Idempotency{Key: "k"}).ID(renewed, "op", "p"); a != b {
		t.Errorf("a new token of the same account has another id: %q, %q", a, b)
	}
	// As it was before accounts had ids: a retry over an upgrade gets the stored answer.
	const before = "561950335e815a99b722548dfcb5280676d0ec27449ffbc456a3423af6aae448"
	if id := (&Idempotency{Key: "k"}).ID(old, "op", "p"); id != before {
		t.Errorf("an old account's id is %q", id)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	var got string
	h := things(Options{}, func(ctx context.Context, in *thingInput) (*thingOutput, error) {
		got = in.Key
		return echo(ctx, in)
	}).Handler()
	for key, status := range map[string]int{
		"k": 200, "with space": 200, strings.Repeat("x", 255): 200,
		"": 400, strings.Repeat("x", 256): 400, "ü": 400, "a\tb": 400, "\x7f": 400, "\xff": 400,
	} {
		got = ""
		w := do(h, http.MethodPut, "/things/1", strings.NewReader(`{"name":"a"}`), "Idempotency-Key", key)
		if w.Code != status || status == 200 && got != key {
			t.Errorf("%q: %d, key %q: %s", key, w.Code, got, w.Body)
		}
	}
}
