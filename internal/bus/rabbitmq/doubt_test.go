package rabbitmq

import "testing"

func TestDoubt(t *testing.T) {
	var d doubt
	replies := uint64(0)
	ticks := func(waiting bool) (n int) {
		for n = 1; !d.grown(replies, waiting); n++ {
			if n == 100 {
				return 0 // never
			}
		}
		return n
	}
	if n := ticks(false); n != 0 {
		t.Errorf("nobody waits, and the session is given up after %d ticks", n)
	}
	for _, want := range []int{2, 4, 8, 16, 16} {
		if n := ticks(true); n != want {
			t.Errorf("given up after %d ticks, want %d", n, want)
		}
	}
	replies++
	if d.grown(replies, true) {
		t.Error("given up at a reply")
	}
	if n := ticks(true); n != 2 {
		t.Errorf("after a reply: given up after %d ticks", n)
	}
}
