package watcher

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
)

// Observation is everything that a plan depends on.
type Observation struct {
	Now     time.Time
	Slaves  int               // desired
	Members []registry.Member // read before Pairs: so whoever is registered and alive is in Pairs
	Master  registry.Master   // zero: there is none
	Seed    registry.Seed     // who may seed the log
	Switch  registry.Switch   // who was asked to take over
	Pairs   []pairs.Pair
	Aside   []string // where data is kept that could not be read
	// History is what was tried, by pair; Created counts the pairs that are being created now.
	History  map[string]History
	Creating int
	// NextCreate is the earliest time at which a pair may be created.
	NextCreate time.Time
}

// History is what the watcher remembers of a pair.
type History struct {
	Busy     bool      // an action on it is under way
	Removing bool      // which is to remove it
	Created  bool      // it has not been serving since it was created
	Tries    int       // starts since it last was serving
	Next     time.Time // the earliest time of the next start
	LastSeen time.Time // when its worker was registered, or started, last
	Why      string    // why it does not serve: the last death, or start in vain, since it did
}

// Verb is what an action does.
type Verb string

// The actions.
const (
	Evict  Verb = "evict"  // take the Worker out of the registry: its process is gone
	Kill   Verb = "kill"   // end the pair's worker
	Start  Verb = "start"  // start what does not run of the Pair
	Create Verb = "create" // create a pair
	Remove Verb = "remove" // end the Pair, and delete its data
	// SetAside ends the Pair, and keeps its data: it could not be read, or its files were deleted.
	SetAside Verb = "set aside"
	// Stop ends the watcher: no copy of the data can be read, and an empty one must not take its place.
	Stop   Verb = "stop"
	Seed   Verb = "seed"   // let the Worker begin: a new log, or to serve
	Switch Verb = "switch" // ask the Worker to take over from the master
)

// Action is one thing to do, and why.
type Action struct {
	Verb   Verb
	Pair   string
	Worker string
	At     db.Position // of a seed: where the worker's database is
	Why    string
}

const (
	// hopeless is after how many starts in vain a pair is given up for a new one.
	hopeless = 5
	// stuckAfter is how long a worker may run without being registered before it is killed. Longer
	// than a registry takes to restart, and to hear from everybody again.
	stuckAfter = 30 * time.Second
)

// Plan compares what is with what should be, and returns what to do now. It is a pure function.
//
// A worker that died gets a successor on its database. A database that died gives way to a new
// pair, and its data stays until there are enough replicas without it. While no replica serves at
// all, every pair that is left is started instead: one of them has the newest data. Data that cannot be
// read is never deleted, and no log begins at 0 while there is such data.
func Plan(o Observation) []Action {
	p := &planner{Observation: o}
	p.evict()
	p.tend()
	p.fill()
	p.shrink()
	p.seed()
	p.stop()
	p.upgrade()
	return p.actions
}

type planner struct {
	Observation
	actions []Action
	kept    int // pairs that run, or are being started or created
}

func (p *planner) do(v Verb, pair, worker, why string) {
	p.actions = append(p.actions, Action{Verb: v, Pair: pair, Worker: worker, Why: why})
}

// evict takes those out of the registry that are registered and do not run.
func (p *planner) evict() {
	for _, m := range p.Members {
		i := slices.IndexFunc(p.Pairs, func(pair pairs.Pair) bool { return pair.ID == m.Pair })
		if i < 0 || !p.Pairs[i].Worker.Running || p.Pairs[i].Worker.ID != m.ID {
			why := "its process is gone"
			if i >= 0 && p.Pairs[i].Worker.ID == m.ID && p.Pairs[i].Worker.Fault != "" {
				why += ": " + p.Pairs[i].Worker.Fault
			}
			p.do(Evict, m.Pair, m.ID, why)
		}
	}
}

// electing reports whether an election is under way: there is no master, and somebody who can
// become it. It goes first: what is started meanwhile takes the processors that it needs. Nobody stands for election
// while another one has to begin.
func (p *planner) electing() bool {
	if _, ok := p.first(); ok {
		return false
	}
	return p.Master.Worker == "" && slices.ContainsFunc(p.Members, func(m registry.Member) bool {
		return p.serves(m) && m.Writable() && !m.CutOff
	})
}

// tend looks after every pair that there is.
func (p *planner) tend() {
	disaster := !slices.ContainsFunc(p.Members, p.serves)
	for _, pair := range p.Pairs {
		h := p.History[pair.ID]
		switch {
		case h.Removing:
		case h.Busy:
			p.kept++
		case pair.Unreadable != "":
			p.setAside(pair, h)
		case p.deleted(pair):
			// The others copy what it still has open; then it goes.
			if p.servingPairs() > p.Slaves {
				p.do(SetAside, pair.ID, pair.Worker.ID, "the files of its database were deleted or moved, and it is replaced")
			}
		case pair.Worker.Running && pair.Database.Running:
			p.kept++
			if _, registered := p.member(pair); !registered && !h.LastSeen.IsZero() && p.Now.Sub(h.LastSeen) > stuckAfter {
				p.do(Kill, pair.ID, pair.Worker.ID, "it runs, and has not been registered for "+stuckAfter.String())
			}
		case pair.Worker.Running:
			p.do(Kill, pair.ID, pair.Worker.ID, "its database died: "+cmp.Or(pair.Database.Fault, "it does not run"))
		case disaster, pair.Database.Running && h.Tries < hopeless:
			p.kept++
			if !p.Now.Before(h.Next) && !p.electing() {
				p.do(Start, pair.ID, "", "its worker does not run: "+cmp.Or(pair.Worker.Fault, "not started"))
			}
		case p.servingPairs() <= p.Slaves:
		case h.Created || h.Tries < hopeless && !pair.Database.Failed && pair.Database.Fault != "":
			p.do(Remove, pair.ID, "", "it is broken, and replaced")
		default:
			p.do(SetAside, pair.ID, "", "it is broken, and replaced; whether its data can be read is not known")
		}
	}
}

// fill creates the pairs that are missing.
func (p *planner) fill() {
	if p.Now.Before(p.NextCreate) || p.electing() || p.damaged() && !p.copyLeft() {
		return
	}
	for n := p.kept + p.Creating; n < p.Slaves+1; n++ {
		p.do(Create, "", "", fmt.Sprintf("%d of %d pairs are there", n, p.Slaves+1))
	}
}

// shrink removes pairs of which there are too many: the youngest first, never the master's, and
// only while those that stay are serving.
func (p *planner) shrink() {
	surplus, serving := p.kept-(p.Slaves+1), p.servingPairs()
	if p.Creating > 0 || p.Master.Worker == "" || serving < p.Slaves+1 {
		return
	}
	for _, pair := range slices.Backward(p.Pairs) {
		if surplus <= 0 {
			return
		}
		m, registered := p.member(pair)
		if p.History[pair.ID].Busy || !registered || m.ID == p.Master.Worker || m.Role == cluster.Master || p.deleted(pair) {
			continue
		}
		if p.serves(m) {
			if serving <= p.Slaves+1 {
				continue
			}
			serving--
		}
		p.do(Remove, pair.ID, m.ID, fmt.Sprintf("only %d slaves are wanted", p.Slaves))
		surplus--
	}
}

// seed lets the most advanced database begin: a new log when it finds none that it belongs to, and otherwise to
// serve. It waits until every pair has been heard of, as one more advanced than the others may be among
// those still starting. At 0 no log begins before every pair that there ever was has been heard of.
//
// A replica that has been at the end of the log does not begin by itself when all start anew: another one may have
// more than the log, which a broker that loses power shortens. Then that one begins the log again, also where the others
// serve.
func (p *planner) seed() {
	best, ok := p.first()
	if !ok || p.Master.Worker != "" {
		return
	}
	complete := len(p.Aside) == 0
	for _, pair := range p.Pairs {
		if _, registered := p.member(pair); registered {
			continue
		}
		if pair.Unreadable == "" && p.History[pair.ID].Tries < hopeless {
			return
		}
		complete = complete && p.History[pair.ID].Created // nothing was ever written to it
	}
	if best.Position.Seq == 0 && !complete {
		return
	}
	if p.Seed != seedOf(best) {
		why := fmt.Sprintf("no replica that serves can be the master; it is the most advanced, at %s", best.Position)
		if best.State == cluster.Unseeded {
			why = fmt.Sprintf("there is no log that has what its database has; it is the most advanced, at %s", best.Position)
		}
		p.actions = append(p.actions, Action{Verb: Seed, Pair: best.Pair, Worker: best.ID, At: best.Position, Why: why})
	}
}

// first returns the member that is to begin, where there is one: the most advanced of those that can.
func (p *planner) first() (best registry.Member, ok bool) {
	var others []registry.Member // they serve, or may turn out to be further on
	for _, m := range p.Members {
		switch {
		case m.State == cluster.Joining: // what it has is about to be replaced
		case m.State == cluster.Unseeded || m.State == cluster.Following && m.AtEnd:
			if !ok || beginsBefore(m, best) {
				best, ok = m, true
			}
		case m.State == cluster.Following && m.Position == db.Position{}:
			return best, false // how far it is may not be known yet
		default:
			others = append(others, m)
		}
	}
	anew := best.State == cluster.Unseeded
	for _, m := range others {
		switch {
		case m.Position.Seq > best.Position.Seq: // of one whose files were deleted, a new pair will have copied that
			return best, false
		case m.Position.Seq == best.Position.Seq && anew && m.State != cluster.Deleted:
			return best, false
		case m.State == cluster.Serving && m.Writable() && !m.CutOff && (!anew || m.Position.Epoch > best.Position.Epoch):
			return best, false // it is about to become the master, or has been since
		}
	}
	return best, ok
}

// beginsBefore orders those that can begin: the most advanced first; where they are even, one that needs no new log,
// one that can write, and then by id.
func beginsBefore(a, b registry.Member) bool {
	second := func(yes bool) int {
		if yes {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(b.Position.Seq, a.Position.Seq),
		cmp.Compare(second(a.State == cluster.Unseeded), second(b.State == cluster.Unseeded)),
		cmp.Compare(second(!a.Writable()), second(!b.Writable())),
		cmp.Compare(a.ID, b.ID),
	) < 0
}

// upgrade replaces one worker that runs an older program, while everything is as it should be and
// nothing else is to be done: so a new program that does not get to serve replaces one worker, and no
// other. The master's turn comes last, when a slave with the new program has taken over from it.
func (p *planner) upgrade() {
	if len(p.actions) > 0 || p.Creating > 0 || p.Master.Worker == "" || p.servingPairs() != len(p.Pairs) || len(p.Pairs) != p.Slaves+1 {
		return
	}
	var outdated, current []registry.Member
	for _, pair := range p.Pairs {
		m, _ := p.member(pair) // it serves
		switch {
		case p.History[pair.ID].Busy:
			return
		case !pair.Worker.Outdated:
			current = append(current, m)
		case m.ID != p.Master.Worker:
			outdated = append(outdated, m)
		}
	}
	const why = "it runs an older program"
	switch {
	case len(outdated) > 0:
		p.do(Kill, outdated[0].Pair, outdated[0].ID, why)
	case len(current) == len(p.Pairs), len(current) == 0:
	default:
		current = slices.DeleteFunc(current, func(m registry.Member) bool { return !m.Writable() })
		if len(current) == 0 {
			return
		}
		successor := slices.MaxFunc(current, func(a, b registry.Member) int { return cmp.Compare(a.Position.Seq, b.Position.Seq) })
		if p.Switch != (registry.Switch{To: successor.ID, From: p.Master.Epoch}) {
			p.do(Switch, successor.Pair, successor.ID, "the master runs an older program")
		}
	}
}

func seedOf(m registry.Member) registry.Seed { return registry.Seed{Worker: m.ID, At: m.Position} }

// member returns the registration of a pair's present worker.
func (p *planner) member(pair pairs.Pair) (registry.Member, bool) {
	i := slices.IndexFunc(p.Members, func(m registry.Member) bool { return m.ID == pair.Worker.ID })
	if i < 0 || !pair.Worker.Running {
		return registry.Member{}, false
	}
	return p.Members[i], true
}

// runs reports whether both halves of a member's pair run.
func (p *planner) runs(m registry.Member) bool {
	return slices.ContainsFunc(p.Pairs, func(pair pairs.Pair) bool {
		return pair.Worker.ID == m.ID && pair.Worker.Running && pair.Database.Running
	})
}

// serves reports whether a member serves and its pair runs.
func (p *planner) serves(m registry.Member) bool { return m.State == cluster.Serving && p.runs(m) }

// servingPairs returns how many pairs serve, without those that are being removed.
func (p *planner) servingPairs() int {
	n := 0
	for _, m := range p.Members {
		if p.serves(m) && !p.History[m.Pair].Removing {
			n++
		}
	}
	return n
}
