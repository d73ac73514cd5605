package chaos

import (
	"fmt"
	"reflect"
	"testing"
)

func TestPlanIsAFunctionOfItsSeed(t *testing.T) {
	plan := Plan(7, 200, true)
	for range 20 { // a map's order must not come in
		if !reflect.DeepEqual(Plan(7, 200, true), plan) {
			t.Fatal("the same seed has another plan")
		}
	}
	if !reflect.DeepEqual(Plan(7, 50, true), plan[:50]) {
		t.Error("a shorter plan is not the beginning of a longer one")
	}
	if reflect.DeepEqual(Plan(8, 200, true), plan) {
		t.Error("another seed has the same plan")
	}
}

func TestPlanHasEverything(t *testing.T) {
	seen := map[string]int{}
	var faults, twice int
	for _, step := range Plan(1, 2000, false) {
		if len(step) < 1 || len(step) > 2 {
			t.Fatalf("%d faults at once", len(step))
		}
		twice += len(step) - 1
		if len(step) == 2 && (step[0].Part == step[1].Part || step[0].Kind == Cut && step[0].Peer == step[1].Part) {
			t.Errorf("%v and %v at once", step[0], step[1])
		}
		for _, f := range step {
			faults++
			seen[fmt.Sprint(f.Kind, f.Part, f.Peer, f.Way)]++
			if f.For == 0 != (f.Kind == Kill && f.Part.ofPairs()) {
				t.Errorf("%v lasts %v", f, f.For)
			}
		}
	}
	if twice*8 < faults {
		t.Errorf("only %d steps of %d faults are two at once", twice, faults)
	}
	want := map[Kind]int{Kill: 11, Pause: 11, Cut: 12 * 3, Slow: 2, Fill: 1, Alarm: 1, Jump: 2}
	var kinds int
	for _, n := range want {
		kinds += n
	}
	if len(seen) != kinds {
		t.Errorf("%d different faults, not %d: %v", len(seen), kinds, seen)
	}
	for what, n := range seen {
		if n < 5 {
			t.Errorf("%s only %d times", what, n)
		}
	}
}

func TestPlanWithNodes(t *testing.T) {
	seen := map[string]bool{}
	for _, step := range Plan(1, 2000, true) {
		for _, f := range step {
			if f.ofNodes() && len(step) > 1 {
				t.Errorf("%v beside another fault", f)
			}
			if f.Kind == Cut && f.Way == "" {
				t.Errorf("%v has no direction", f)
			}
			seen[fmt.Sprint(f.Kind, f.Part, f.Peer, f.Way)] = true
		}
	}
	for _, f := range nodeFaults() {
		if f.Kind == Cut && f.Way == "" {
			f.Way = Both
		}
		if !seen[fmt.Sprint(f.Kind, f.Part, f.Peer, f.Way)] {
			t.Errorf("%v is not in the plan", f)
		}
	}
}
