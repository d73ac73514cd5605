package consistency

import (
	"sync"
	"testing"

	"rideshare/internal/db"
)

func at(seq uint64) db.Position { return db.Position{Epoch: 1, Seq: seq} }

func TestNewestIsMonotonic(t *testing.T) {
	var n Newest
	if got := n.Get(); got != (db.Position{}) {
		t.Fatalf("an empty Newest has %v", got)
	}
	var wg sync.WaitGroup
	for i := range uint64(100) {
		wg.Go(func() { n.See(at(i + 1)) })
	}
	wg.Wait()
	n.See(at(3))
	if got := n.Get(); got != at(100) {
		t.Errorf("newest = %v, want 1.100", got)
	}
}

func TestNewestForgetsOnlyWhatIsMeant(t *testing.T) {
	var n Newest
	n.See(at(5))
	n.Forget(at(4))
	if got := n.Get(); got != at(5) {
		t.Errorf("after forgetting another position: %v", got)
	}
	n.Forget(at(5))
	if got := n.Get(); got != (db.Position{}) {
		t.Errorf("after forgetting: %v", got)
	}
}

func TestRequest(t *testing.T) {
	r := NewRequest(at(7))
	r.See(at(3))
	if got := r.Newest(); got != at(7) {
		t.Errorf("newest = %v, want the token", got)
	}
	r.RejectToken()
	if got := r.Newest(); got != at(3) {
		t.Errorf("newest = %v, want what was seen", got)
	}
	if got := FromContext(NewContext(t.Context(), r)); got != r {
		t.Error("the context lost the request")
	}
	if got := FromContext(t.Context()).Newest(); got != (db.Position{}) {
		t.Errorf("a request of nobody knows %v", got)
	}
}
