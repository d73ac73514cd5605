package chaos

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"rideshare/client"
	"rideshare/e2e/load"
	"rideshare/internal/db"
)

// lawful is a history without a fault, and what it leaves behind.
func lawful() (History, State) {
	h := History{
		Writes: []Write{
			{Client: "w", Key: "k1", Name: "one", Outcome: Acked, ID: 1, Reply: `{"rideId":1}`},
			{Client: "w", Key: "k2", Name: "two", Outcome: Acked, ID: 2},
			{Client: "w", Key: "k3", Name: "two", Delete: true, Outcome: Acked, ID: 2},
			{Client: "w", Key: "k4", Name: "three", ToRefuse: true, Outcome: Refused, Reply: "409"},
			{Client: "w", Key: "k5", Name: "four", Outcome: Unknown},
			{Client: "w", Key: "k6", Name: "five", Outcome: Unknown},
			{Client: "w", Key: "k7", Name: "six", Outcome: Acked, ID: 7},
			{Client: "w", Key: "k8", Name: "six", Delete: true, Outcome: Unknown},
			{Client: "w", Key: "k9", Name: "user", Outcome: Acked},
		},
		Seen: []Seen{
			{Session: "s", Value: 1, Tried: 1, Position: at(5)},
			{Session: "s", Level: "session", After: at(5), Value: 1, Tried: 1, Position: at(7)},
			{Session: "s", Level: "eventual", Value: 0, Tried: 1, Position: at(3)}, // it may be old
			{Session: "other", Level: "session", Value: 0, Position: at(1)},
			{Session: "s", Level: "strong", Value: 2, Tried: 2, Position: at(8)}, // an unknown write was done
		},
	}
	h.Retries = []Retry{{Of: h.Writes[0], Reply: `{"rideId":1}`}, {Of: h.Writes[3], Reply: "409"}}
	sum := client.Checksum{Worker: "p1.1", Seq: 8, Checksum: "abc"}
	other := sum
	other.Worker = "p2.1"
	return h, State{
		Rows:     map[string][]int64{"one": {1}, "five": {6}, "user": {0}},
		Replicas: 2, Sums: []client.Checksum{sum, other},
	}
}

func at(seq uint64) db.Position { return db.Position{Epoch: 1, Seq: seq} }

func TestJudgeFindsNothingInALawfulHistory(t *testing.T) {
	if found := Judge(lawful()); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

func TestJudgeFindsEachViolation(t *testing.T) {
	for _, c := range []struct {
		name  string
		forge func(*History, *State)
		kind  string
		shows []string // what the history that is told has to have
	}{
		{"a lost write", func(_ *History, s *State) { delete(s.Rows, "one") }, Lost, []string{"creates one"}},
		{"a lost user", func(_ *History, s *State) { delete(s.Rows, "user") }, Lost, []string{"creates user"}},
		{"a write under another number", func(_ *History, s *State) { s.Rows["one"] = []int64{9} }, Lost, []string{"creates one"}},
		{"a lost deletion", func(_ *History, s *State) { s.Rows["two"] = []int64{2} }, Lost, []string{"creates two", "deletes two"}},
		{"a doubled write", func(_ *History, s *State) { s.Rows["one"] = []int64{1, 9} }, Doubled, []string{"creates one"}},
		{"a doubled write of unknown outcome", func(_ *History, s *State) { s.Rows["four"] = []int64{8, 9} }, Doubled, []string{"creates four"}},
		{"a refused write that is there", func(_ *History, s *State) { s.Rows["three"] = []int64{9} }, Undone, []string{"creates three"}},
		{"a row that nobody wrote", func(_ *History, s *State) { s.Rows["seven"] = []int64{9} }, Invented, nil},
		{"a right write that is refused", func(h *History, s *State) { h.Writes[0].Outcome = Refused; delete(s.Rows, "one") }, Wrong, []string{"creates one"}},
		{"a wrong write that is done", func(h *History, s *State) {
			h.Writes[3].Outcome, h.Writes[3].ID, s.Rows["three"] = Acked, 4, []int64{4}
		}, Wrong, []string{"creates three"}},
		{"a changed reply", func(h *History, _ *State) { h.Retries[0].Reply = `{"rideId":9}` }, Changed, []string{`{"rideId":1}`, `{"rideId":9}`}},
		{"a changed refusal", func(h *History, _ *State) { h.Retries[1].Reply = "{}" }, Changed, []string{"409", "{}"}},
		{"an id that is given again", func(h *History, s *State) {
			h.Writes[6].ID = 2 // that of a deleted row
			s.Rows["six"] = []int64{2}
		}, Repeated, []string{"creates two", "creates six"}},
		{"a read that is older than its token", func(h *History, _ *State) { h.Seen[1].Position = at(4) }, Stale, []string{"after 1.5"}},
		{"a session that goes back", func(h *History, _ *State) { h.Seen[4].Position = at(6) }, Stale, []string{"at 1.7", "at 1.6"}},
		{"a session that does not see its own write", func(h *History, _ *State) { h.Seen[1].Value = 0 }, Stale, []string{"is 1", "reads 0"}},
		{"a strong read that does not either", func(h *History, _ *State) { h.Seen[4].Value = 0 }, Stale, []string{"reads 0"}},
		{"a session whose row is gone", func(h *History, _ *State) { h.Seen[1].Value = -1 }, Stale, []string{"reads -1"}},
		{"a read of what was never written", func(h *History, _ *State) { h.Seen[2].Value = 2 }, Invented, []string{"reads 2"}},
		{"replicas that differ", func(_ *History, s *State) { s.Sums[1].Checksum = "xyz" }, Different, []string{"abc", "xyz"}},
		{"a replica that is behind", func(_ *History, s *State) { s.Sums[1].Seq = 7 }, Different, []string{"p2.1"}},
		{"a replica that has no checksum", func(_ *History, s *State) { s.Sums[1].Error = "joining" }, Different, []string{"joining"}},
		{"a replica that is not there", func(_ *History, s *State) { s.Sums = s.Sums[:1] }, Different, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, s := lawful()
			c.forge(&h, &s)
			found := Judge(h, s)
			if len(found) != 1 || found[0].Kind != c.kind {
				t.Fatalf("found %+v, not one: %s", found, c.kind)
			}
			told := strings.Join(found[0].History, "\n")
			for _, part := range c.shows {
				if !strings.Contains(told, part) {
					t.Errorf("%q is not in\n%s", part, told)
				}
			}
			if len(found[0].History) > 2 {
				t.Errorf("%d lines are not the shortest:\n%s", len(found[0].History), told)
			}
		})
	}
}

func TestJudgeTellsOnlySoMuchOfOneKind(t *testing.T) {
	h, s := lawful()
	for i := range 100 {
		s.Rows[fmt.Sprint("other", i)] = []int64{int64(i)}
	}
	delete(s.Rows, "one")
	found := Judge(h, s)
	if len(found) != mostOfOneKind+1 || !slices.ContainsFunc(found, func(v Violation) bool { return v.Kind == Lost }) {
		t.Errorf("%d violations", len(found))
	}
}

// op is an operation on register 0.
func op(id int, write bool, value, call, ended int64) porcupine.Operation {
	return porcupine.Operation{ClientId: id, Input: load.Access{Write: write, Value: value}, Output: value, Call: call, Return: ended}
}

func TestJudgeRegisters(t *testing.T) {
	var long []porcupine.Operation // 50 times written and read
	for i := range int64(50) {
		long = append(long, op(0, true, i+1, 100*i, 100*i+10), op(1, false, i+1, 100*i+20, 100*i+30))
	}
	open := op(2, true, 99, 5, load.NeverEnded)
	for _, c := range []struct {
		name    string
		history []porcupine.Operation
		short   int // operations that show that it is not linearizable; 0: it is
	}{
		{"lawful", long, 0},
		{"a write of unknown outcome was done much later", append(slices.Clone(long), open, op(3, false, 99, 4995, 4999)), 0},
		{"a write of unknown outcome was never done", append(slices.Clone(long), open), 0},
		{"a stale read at the start", append(slices.Clone(long), op(3, false, 0, 40, 50)), 2},
		{"a read of what was not written", append(slices.Clone(long), op(3, false, 77, 5, 8)), 2},
		{"a read that goes back", append(slices.Clone(long), open, op(3, false, 99, 40, 45), op(4, false, 1, 50, 55)), 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			found := JudgeRegisters(c.history, folder, "test")
			if c.short == 0 {
				if len(found) > 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Kind != Unlinear || len(found[0].History) != c.short {
				t.Fatalf("found %+v, not one with %d operations", found, c.short)
			}
			drawn, err := os.ReadFile(found[0].Page)
			if err != nil || !strings.Contains(string(drawn), "<html") {
				t.Errorf("it is not drawn: %v", err)
			}
		})
	}
}

func TestBlame(t *testing.T) {
	kill, pause := Step{{Kind: Kill, Part: Master}}, Step{{Kind: Pause, Part: RabbitMQ}}
	both := Step{kill[0], pause[0]}
	phases := []Phase{{}, {Step: kill, Begun: 10}, {Begun: 20}, {Step: pause, Begun: 30}, {Begun: 40}, {Step: both, Begun: 50}}
	for _, c := range []struct{ begun, ended, want time.Duration }{
		{1, 2, 0}, {5, 12, 1}, {12, 15, 1}, {12, 25, 1}, {22, 25, 2}, {15, 35, 3}, {31, 52, 5}, {45, 55, 5}, {35, 45, 3}, {60, 70, 5},
	} {
		if got := Blame(phases, c.begun, c.ended); got != int(c.want) {
			t.Errorf("%d to %d is blamed on %d, not %d", c.begun, c.ended, got, c.want)
		}
	}
	for i, want := range []bool{false, true, false, false, false, false} {
		if phases[i].pure() != want {
			t.Errorf("phase %d is pure: %t", i, !want)
		}
	}
}

func TestResult(t *testing.T) {
	h, s := lawful()
	delete(s.Rows, "one")
	kill, pause := Fault{Kind: Kill, Part: Master}, Fault{Kind: Pause, Part: Gateway, For: time.Second}
	r := &Result{
		Seed: 7, Lasted: time.Minute, History: h, Violations: Judge(h, s),
		Phases: []Phase{
			{}, {Step: Step{kill}, Begun: 10, Reports: []Report{{Fault: kill, Recovery: 2 * time.Second}}},
			{Begun: 20}, {Step: Step{pause}, Begun: 30, Reports: []Report{{Fault: pause, NotInjected: errNotInjected}}},
		},
		Attempts: []Attempt{
			{Begun: 11, Ended: 12}, {Begun: 12, Ended: 14, Failure: "POST /x: <503>"}, {Begun: 31, Ended: 32, Failure: "reset"}, {Begun: 1, Ended: 2},
		},
		Operations: []Operation{{Begun: 11, Ended: 14}, {Begun: 31, Ended: 32, Failure: "given up"}},
	}
	tables := r.Tables()
	var rows []string
	for _, table := range tables {
		for _, cells := range table.Rows {
			rows = append(rows, strings.Join(cells, "|"))
		}
	}
	want := []string{
		pureClass + "|1|0|2|1|0|0s|2s|2s",
		"nothing (between the faults)|0|0|1|0|0|0s|0s|0s",
		"pause of the gateway|0|1|1|1|1|0s|0s|0s",
		"all|1|1|4|2|1|0s|2s|2s",
		"7|1m0s|1|6|2|4|0|1|0|0",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("the rows are\n%s\nnot\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	if failed := r.Failures(); len(failed) != 1 || !strings.Contains(failed[0], "503") {
		t.Errorf("failed while a worker was killed: %q", failed)
	}
	file, err := r.WritePage(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Campaign of seed 7", "1 violations", "creates one", "not injected", "&lt;503&gt;", "pause of the gateway"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("%q is not on the page", part)
		}
	}
}
