package watcher

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// world is an observation in the making: pairs p1 to pn with their workers, all well, p1 master.
func world(n, slaves int) *Observation {
	o := &Observation{Now: noon, Slaves: slaves, History: map[string]History{}}
	for i := range n {
		id := fmt.Sprintf("p%d", i+1)
		o.Pairs = append(o.Pairs, pairs.Pair{
			ID:       id,
			Worker:   pairs.Process{ID: id + ".1", PID: 1000 + i, Running: true},
			Database: pairs.Process{Running: true},
		})
		o.Members = append(o.Members, registry.Member{
			ID: id + ".1", Pair: id, Role: cluster.Slave, State: cluster.Serving,
			LogID: "log", Position: db.Position{Epoch: 1, Seq: 10},
		})
		o.History[id] = History{LastSeen: noon}
	}
	if n > 0 {
		o.Members[0].Role = cluster.Master
		o.Master = registry.Master{Worker: "p1.1", Epoch: 1}
	}
	return o
}

func (o *Observation) with(change func(*Observation)) *Observation {
	change(o)
	return o
}

// kill lets the worker of pair i die; its node is still there.
func (o *Observation) kill(i int) {
	o.Pairs[i].Worker.Running, o.Pairs[i].Worker.Fault = false, "killed"
}

// evicted removes the nodes of those that do not run.
func (o *Observation) evicted() {
	var left []registry.Member
	for i, m := range o.Members {
		if o.Pairs[i].Worker.Running {
			left = append(left, m)
		}
	}
	o.Members = left
}

func all(state cluster.State) func(*Observation) {
	return func(o *Observation) {
		for i := range o.Members {
			o.Members[i].State = state
		}
		o.Master = registry.Master{}
	}
}

// outdated lets the workers of those pairs run an older program.
func outdated(pairs ...int) func(*Observation) {
	return func(o *Observation) {
		for _, i := range pairs {
			o.Pairs[i].Worker.Outdated = true
		}
	}
}

// unreadable lets the data of those pairs be damaged.
func unreadable(pairs ...int) func(*Observation) {
	return func(o *Observation) {
		for _, i := range pairs {
			o.kill(i)
			o.Pairs[i].Unreadable = "the file is damaged"
			if o.Master.Worker == o.Members[i].ID {
				o.Master = registry.Master{}
			}
		}
		o.evicted()
	}
}

// deleted lets the files of those pairs be deleted while they run.
func deleted(pairs ...int) func(*Observation) {
	return func(o *Observation) {
		for _, i := range pairs {
			o.Members[i].State, o.Members[i].Role = cluster.Deleted, cluster.Slave
			if o.Master.Worker == o.Members[i].ID {
				o.Master = registry.Master{}
			}
		}
	}
}

// empty lets those members have nothing.
func empty(members ...int) func(*Observation) {
	return func(o *Observation) {
		for _, i := range members {
			o.Members[i].Position = db.Position{}
		}
	}
}

// full lets the disks of the pairs be full.
func full(which ...int) func(*Observation) {
	return func(o *Observation) {
		for _, i := range which {
			o.Members[i].Database = "the disk is full"
		}
	}
}

// atEnd lets those members be at the end of the log.
func atEnd(members ...int) func(*Observation) {
	return func(o *Observation) {
		for _, i := range members {
			o.Members[i].AtEnd = true
		}
	}
}

func TestPlan(t *testing.T) {
	type action struct {
		Verb   Verb
		Target string
	}
	tests := []struct {
		name string
		o    *Observation
		want []action
	}{
		{"nothing is there yet", world(0, 2), []action{{Create, ""}, {Create, ""}, {Create, ""}}},
		{"all is well", world(3, 2), nil},
		{"one pair is missing", world(2, 2), []action{{Create, ""}}},
		{"it is being created", world(2, 2).with(func(o *Observation) { o.Creating = 1 }), nil},
		{"creating has to wait", world(2, 2).with(func(o *Observation) { o.NextCreate = noon.Add(1) }), nil},

		{"a worker died", world(3, 2).with(func(o *Observation) { o.kill(0) }), []action{{Evict, "p1.1"}, {Start, "p1"}}},
		{"it is evicted", world(3, 2).with(func(o *Observation) { o.kill(0); o.evicted() }), []action{{Start, "p1"}}},
		{"it was the master: the election goes first", world(3, 2).with(func(o *Observation) {
			o.kill(0)
			o.evicted()
			o.Master = registry.Master{}
		}), nil},
		{"the last one that served died", world(1, 2).with(func(o *Observation) {
			o.kill(0)
			o.evicted()
			o.Master = registry.Master{}
		}), []action{{Start, "p1"}, {Create, ""}, {Create, ""}}},
		{"it is being started", world(3, 2).with(func(o *Observation) {
			o.kill(0)
			o.evicted()
			o.History["p1"] = History{Busy: true}
		}), nil},
		{"it cools down", world(3, 2).with(func(o *Observation) {
			o.kill(0)
			o.evicted()
			o.History["p1"] = History{Tries: 2, Next: noon.Add(1)}
		}), nil},
		{"it never comes up: another pair takes its place", world(3, 2).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.History["p3"] = History{Tries: hopeless}
		}), []action{{Create, ""}}},
		{"and it goes when that serves", world(4, 2).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.History["p3"] = History{Tries: hopeless}
		}), []action{{SetAside, "p3"}}},
		{"or one that has never served since it was created", world(4, 2).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.History["p3"] = History{Tries: hopeless, Created: true}
		}), []action{{Remove, "p3"}}},

		{"a database died", world(3, 2).with(func(o *Observation) { o.Pairs[1].Database.Running = false }), []action{{Kill, "p2"}, {Create, ""}}},
		{"and its worker too", world(3, 2).with(func(o *Observation) {
			o.Pairs[1].Database.Running = false
			o.kill(1)
			o.evicted()
		}), []action{{Create, ""}}},
		{"and it is replaced", world(4, 2).with(func(o *Observation) {
			o.Pairs[1].Database = pairs.Process{Fault: "killed"}
			o.kill(1)
			o.evicted()
		}), []action{{Remove, "p2"}}},
		{"and nothing is left that tells what it died of", world(4, 2).with(func(o *Observation) {
			o.Pairs[1].Database, o.Pairs[1].Worker = pairs.Process{}, pairs.Process{}
			o.evicted()
		}), []action{{SetAside, "p2"}}},
		{"and the replacement is not serving yet: the data stays", world(4, 2).with(func(o *Observation) {
			o.Pairs[1].Database.Running = false
			o.kill(1)
			o.Members[3].State = cluster.Joining
			o.evicted()
		}), nil},

		{"everything died: all data that is left is started, whatever is wanted", world(4, 2).with(func(o *Observation) {
			for i := range o.Pairs {
				o.kill(i)
				o.Pairs[i].Database.Running = false
				o.History[o.Pairs[i].ID] = History{}
			}
			o.evicted()
		}), []action{{Start, "p1"}, {Start, "p2"}, {Start, "p3"}, {Start, "p4"}}},

		{"too many: the youngest slave goes", world(4, 2), []action{{Remove, "p4"}}},
		{"too many, and the youngest is master", world(4, 2).with(func(o *Observation) {
			o.Members[0].Role, o.Members[3].Role = cluster.Slave, cluster.Master
			o.Master.Worker = "p4.1"
		}), []action{{Remove, "p3"}}},
		{"too many, but not enough of them serve: one that does not goes", world(4, 2).with(func(o *Observation) {
			o.Members[1].State = cluster.Joining
		}), []action{{Remove, "p2"}}},
		{"too many, and one is going already", world(4, 2).with(func(o *Observation) {
			o.History["p4"] = History{Busy: true, Removing: true}
		}), nil},
		{"too many, and those that should stay are not serving yet", world(4, 2).with(func(o *Observation) {
			o.Members[1].State, o.Members[3].State = cluster.Joining, cluster.Following
		}), nil},
		{"too many, and no master", world(4, 2).with(func(o *Observation) { o.Master = registry.Master{} }), nil},

		{"it runs and is not registered", world(3, 2).with(func(o *Observation) {
			o.Members = o.Members[:2]
			o.History["p3"] = History{LastSeen: noon.Add(-stuckAfter - 1)}
		}), []action{{Kill, "p3"}}},
		{"not registered for a moment", world(3, 2).with(func(o *Observation) { o.Members = o.Members[:2] }), nil},
		{"a node of an earlier worker of the pair", world(3, 2).with(func(o *Observation) {
			o.Pairs[2].Worker.ID = "p3.2"
		}), []action{{Evict, "p3.1"}}},
		{"a node of nobody", world(3, 2).with(func(o *Observation) {
			o.Members = append(o.Members, registry.Member{ID: "p9.1", Pair: "p9"})
		}), []action{{Evict, "p9.1"}}},

		{"no log: the most advanced one seeds it", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) {
			o.Members[1].Position.Seq = 11
		}), []action{{Seed, "p2.1"}}},
		{"no log, and it may seed already", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) { o.Seed = seedOf(o.Members[0]) }), nil},
		{"no log, but one has not been heard of", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) {
			o.Members = o.Members[:2]
		}), nil},
		{"no log, and one never comes up", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.History["p3"] = History{Tries: hopeless, Next: noon.Add(1)}
		}), []action{{Seed, "p1.1"}}},
		{"no log, one never comes up, and the others are empty: it may have what they lack", world(3, 2).with(all(cluster.Unseeded)).with(empty(0, 1)).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.History["p3"] = History{Tries: hopeless, Next: noon.Add(1)}
		}), nil},
		{"but nothing where it was created just now, and has never served", world(3, 2).with(all(cluster.Unseeded)).with(empty(0, 1)).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.History["p3"] = History{Tries: hopeless, Created: true, Next: noon.Add(1)}
		}), []action{{Seed, "p1.1"}}},
		{"no log, and all are empty: it is the first start", world(3, 2).with(all(cluster.Unseeded)).with(empty(0, 1, 2)), []action{{Seed, "p1.1"}}},
		{"one still looks for the log", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) {
			o.Members[2].State = cluster.Following
		}), nil},
		{"all start anew: the most advanced one serves first", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1, 2)).with(func(o *Observation) {
			o.Members[1].Position.Seq = 11
		}), []action{{Seed, "p2.1"}}},
		{"all start anew, and it may serve already", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1, 2)).with(func(o *Observation) { o.Seed = seedOf(o.Members[0]) }), nil},
		{"all start anew, and one that can write goes first", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1, 2)).with(func(o *Observation) {
			o.Members[0].Database = "full"
		}), []action{{Seed, "p2.1"}}},
		{"all start anew, but one has not been heard of", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1)).with(func(o *Observation) {
			o.Members = o.Members[:2]
		}), nil},
		{"all start anew, and one may yet turn out to have more than the log", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1)).with(func(o *Observation) {
			o.Members[2].Position.Seq = 11
		}), nil},
		{"all start anew, and one that has less does not get to the end", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1)).with(func(o *Observation) {
			o.Members[2].Position.Seq = 9
		}), []action{{Seed, "p1.1"}}},
		{"all start anew, and one has not looked for the log yet", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1)).with(func(o *Observation) {
			o.Members[2].Position, o.Members[2].LogID = db.Position{}, ""
		}), nil},
		{"all start anew, and one is being rebuilt", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1)).with(func(o *Observation) {
			o.Members[2].State, o.Members[2].Position.Seq = cluster.Joining, 11
		}), []action{{Seed, "p1.1"}}},
		{"the log has lost its end: who has more than it begins a new one", world(3, 2).with(all(cluster.Following)).with(atEnd(0, 1)).with(func(o *Observation) {
			o.Members[2].State, o.Members[2].Position.Seq = cluster.Unseeded, 11
		}), []action{{Seed, "p3.1"}}},
		{"the log has lost its end, but nothing that anybody has: who is in it needs no new one", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) {
			o.Members[2].State = cluster.Following
		}).with(atEnd(2)), []action{{Seed, "p3.1"}}},
		{"the log has lost its end, and the master stays within it: so do the others", world(3, 2).with(func(o *Observation) {
			o.Members[2].State, o.Members[2].Position.Seq = cluster.Unseeded, 11
		}), nil},
		{"the log has lost its end while the others served: it goes on from the one that has more", world(3, 2).with(func(o *Observation) {
			o.Members[2].State, o.Members[2].Position.Seq = cluster.Unseeded, 11
			o.Master = registry.Master{}
		}), []action{{Seed, "p3.1"}}},
		{"the same, and one does not run: it is started, as it may have even more", world(3, 2).with(func(o *Observation) {
			o.Members[1].State, o.Members[1].Position.Seq = cluster.Unseeded, 11
			o.Master = registry.Master{}
			o.kill(2)
			o.evicted()
		}), []action{{Start, "p3"}}},
		{"the log has lost its end, and the others have gone on without the one that has more", world(3, 2).with(func(o *Observation) {
			o.Members[2].State, o.Members[2].Position.Seq = cluster.Unseeded, 11
			o.Members[0].Position.Epoch, o.Members[1].Position.Epoch = 2, 2
			o.Master = registry.Master{}
		}), nil},
		{"nobody serves but one that cannot write: another one, which is at the end, may", world(3, 2).with(atEnd(1, 2)).with(func(o *Observation) {
			o.Members[0].Database, o.Members[1].State, o.Members[2].State = "full", cluster.Following, cluster.Following
			o.Master = registry.Master{}
		}), []action{{Seed, "p2.1"}}},
		{"nobody serves but one that is cut off from the log: another one, which is at the end, may", world(2, 1).with(atEnd(1)).with(func(o *Observation) {
			o.Members[0].CutOff, o.Members[1].State = true, cluster.Following
			o.Master = registry.Master{}
		}), []action{{Seed, "p2.1"}}},
		{"no log, and the only files were deleted: an empty one does not begin", world(3, 2).with(all(cluster.Deleted)).with(empty(2)).with(func(o *Observation) {
			o.Members[2].State = cluster.Unseeded
		}), []action{{Create, ""}, {Create, ""}}},
		{"no log, the files were deleted, and one has copied them", world(3, 2).with(all(cluster.Deleted)).with(func(o *Observation) {
			o.Members[2].State = cluster.Unseeded
		}), []action{{Create, ""}, {Create, ""}, {Seed, "p3.1"}}},
		{"a new one is at the end, and those that serve elect a master", world(3, 2).with(atEnd(2)).with(func(o *Observation) {
			o.Members[2].State = cluster.Following
			o.Master = registry.Master{}
		}), nil},

		{"one cannot be read, and others serve: it goes out of the way, and another takes its place", world(3, 2).with(unreadable(2)), []action{{SetAside, "p3"}, {Create, ""}}},
		{"it is being set aside", world(3, 2).with(unreadable(2)).with(func(o *Observation) {
			o.History["p3"] = History{Busy: true, Removing: true}
		}), []action{{Create, ""}}},
		{"one cannot be read, and there is no master yet: the election goes first", world(3, 2).with(unreadable(2)).with(func(o *Observation) {
			o.Master = registry.Master{}
		}), nil},
		{"one cannot be read, and the others are still starting", world(3, 2).with(unreadable(2)).with(func(o *Observation) {
			o.Members = nil
			o.Master = registry.Master{}
		}), nil},
		{"one cannot be read, and the others have found no log: the most advanced one seeds it", world(3, 2).with(unreadable(2)).with(all(cluster.Unseeded)).with(func(o *Observation) {
			o.Members[1].Position.Seq = 11
		}), []action{{Seed, "p2.1"}}},
		{"one cannot be read, and the others are empty: nothing begins at 0", world(3, 2).with(unreadable(2)).with(all(cluster.Unseeded)).with(empty(0, 1)), []action{{SetAside, "p3"}}},
		{"and when it is out of the way neither", world(2, 2).with(all(cluster.Unseeded)).with(empty(0, 1)).with(func(o *Observation) {
			o.Aside = []string{"damaged/p3"}
		}), []action{{Stop, ""}}},
		{"nor after a restart without any pair", world(0, 2).with(func(o *Observation) { o.Aside = []string{"damaged/p3"} }), []action{{Stop, ""}}},
		{"none can be read", world(3, 2).with(unreadable(0, 1, 2)), []action{{SetAside, "p1"}, {SetAside, "p2"}, {SetAside, "p3"}}},
		{"none can be read, and one is out of the way", world(3, 2).with(unreadable(0, 1, 2)).with(func(o *Observation) {
			o.Aside = []string{"damaged/p0"}
			o.History["p1"] = History{Busy: true, Removing: true}
			o.History["p2"] = History{Tries: 2, Next: noon.Add(1)}
			o.History["p3"] = History{Tries: hopeless}
		}), nil},
		{"none can be read, nor be set aside", world(3, 2).with(unreadable(0, 1, 2)).with(func(o *Observation) {
			for _, id := range []string{"p1", "p2", "p3"} {
				o.History[id] = History{Tries: hopeless}
			}
		}), []action{{Stop, ""}}},
		{"none can be read, but one is still starting", world(3, 2).with(unreadable(0, 1)).with(func(o *Observation) {
			o.kill(2)
			o.Members = nil
			o.History["p3"] = History{Busy: true}
		}), nil},
		{"none can be read, and a new one waits for somebody to copy from", world(3, 2).with(unreadable(0, 1)).with(all(cluster.Joining)).with(empty(0)).with(func(o *Observation) {
			o.Aside = []string{"damaged/p0"}
		}), []action{{SetAside, "p1"}, {SetAside, "p2"}}},
		{"an empty one follows a log: that may hold everything", world(1, 0).with(all(cluster.Following)).with(empty(0)).with(func(o *Observation) {
			o.Aside = []string{"damaged/p0"}
		}), nil},
		{"what was set aside once changes nothing", world(3, 2).with(func(o *Observation) { o.Aside = []string{"damaged/p0"} }), nil},
		{"nor does it after a restart", world(3, 2).with(all(cluster.Unseeded)).with(func(o *Observation) { o.Aside = []string{"damaged/p0"} }), []action{{Seed, "p1.1"}}},
		{"one that failed, and is replaced: nobody knows whether it can be read", world(4, 2).with(func(o *Observation) {
			o.kill(2)
			o.evicted()
			o.Pairs[2].Database = pairs.Process{Failed: true}
		}), []action{{SetAside, "p3"}}},

		{"the files of one were deleted: another one takes its place", world(3, 2).with(deleted(1)), []action{{Create, ""}}},
		{"and it goes when that serves", world(4, 2).with(deleted(1)), []action{{SetAside, "p2"}}},
		{"the files of all were deleted: others copy what they have open", world(3, 2).with(deleted(0, 1, 2)), []action{{Create, ""}, {Create, ""}, {Create, ""}}},
		{"also where something was set aside before", world(1, 0).with(deleted(0)).with(func(o *Observation) {
			o.Aside = []string{"damaged/p0"}
		}), []action{{Create, ""}}},
		{"one copies", world(2, 0).with(deleted(0)).with(func(o *Observation) {
			o.Members[1].State = cluster.Joining
		}), nil},

		{"a new program: one slave after the other", world(3, 2).with(outdated(0, 1, 2)), []action{{Kill, "p2"}}},
		{"not while another one is starting with it", world(3, 2).with(outdated(0, 2)).with(func(o *Observation) {
			o.Members[1].State = cluster.Joining
		}), nil},
		{"nor while a pair is busy", world(3, 2).with(outdated(0, 2)).with(func(o *Observation) { o.History["p2"] = History{Busy: true} }), nil},
		{"nor while there is no master", world(3, 2).with(outdated(0, 2)).with(func(o *Observation) { o.Master = registry.Master{} }), nil},
		{"nor while a pair is missing", world(2, 2).with(outdated(0, 1)), []action{{Create, ""}}},
		{"the next slave", world(3, 2).with(outdated(0, 2)), []action{{Kill, "p3"}}},
		{"then the master: the most advanced of the others takes over", world(3, 2).with(outdated(0)).with(func(o *Observation) {
			o.Members[2].Position.Seq = 11
		}), []action{{Switch, "p3.1"}}},
		{"it is no other that cannot write", world(3, 2).with(outdated(0)).with(full(2)).with(func(o *Observation) {
			o.Members[2].Position.Seq = 11
		}), []action{{Switch, "p2.1"}}},
		{"nor any, where none can", world(3, 2).with(outdated(0)).with(full(1, 2)), nil},
		{"no master, and all disks are full: what died is started", world(3, 2).with(full(1, 2)).with(func(o *Observation) {
			o.kill(0)
			o.evicted()
			o.Master = registry.Master{}
		}), []action{{Start, "p1"}}},
		{"it was asked to", world(3, 2).with(outdated(0)).with(func(o *Observation) {
			o.Members[2].Position.Seq = 11
			o.Switch = registry.Switch{To: "p3.1", From: 1}
		}), nil},
		{"it was asked to in another epoch", world(3, 2).with(outdated(0)).with(func(o *Observation) {
			o.Switch = registry.Switch{To: "p2.1", From: 7}
		}), []action{{Switch, "p2.1"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []action
			for _, a := range Plan(*test.o) {
				if a.Why == "" {
					t.Errorf("%s does not say why", a.Verb)
				}
				target := a.Pair
				if a.Verb == Evict || a.Verb == Seed || a.Verb == Switch {
					target = a.Worker
				}
				got = append(got, action{a.Verb, target})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScaleRule(t *testing.T) {
	rule := DefaultScaleRule()
	for reads, want := range map[uint64]int{0: 1, 1: 1, 20: 1, 21: 2, 40: 2, 41: 3, 99: 5, 100: 5, 101: 5, 1 << 63: 5} {
		if got := rule.Slaves(reads); got != want {
			t.Errorf("%d reads ask for %d slaves, want %d", reads, got, want)
		}
	}
	rule.Min = 2
	if got := rule.Slaves(0); got != 2 {
		t.Errorf("below the minimum: %d slaves", got)
	}
}

func TestAutoscalerCountsFromTheFirstRead(t *testing.T) {
	a := newAutoscaler(DefaultScaleRule())
	reads := func(counts ...uint64) []registry.Member {
		var m []registry.Member
		for i, n := range counts {
			m = append(m, registry.Member{ID: fmt.Sprint("w", i), Reads: n})
		}
		return m
	}
	steps := []struct {
		at      time.Duration
		members []registry.Member
		slaves  int
		due     bool
	}{
		{0, reads(0, 0), 0, false},
		{10 * time.Minute, reads(1, 0), 0, false}, // the window begins here
		{11 * time.Minute, reads(1, 30), 0, false},
		{12*time.Minute - 1, reads(2), 0, false}, // w1 died; its reads count
		{12 * time.Minute, reads(12), 3, true},   // 12 + 30 = 42
		{13 * time.Minute, reads(12), 0, false},
		{14 * time.Minute, reads(12), 1, true},      // no read in this window
		{15 * time.Minute, reads(12, 30), 0, false}, // w1 was away for a while, and comes back
		{16 * time.Minute, reads(33, 30), 2, true},
	}
	for _, s := range steps {
		slaves, due := a.observe(noon.Add(s.at), s.members)
		if slaves != s.slaves || due != s.due {
			t.Errorf("after %v: %d, %v; want %d, %v", s.at, slaves, due, s.slaves, s.due)
		}
	}
}
