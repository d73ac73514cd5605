package watcher

import (
	"slices"
	"strings"

	"rideshare/internal/cluster"
	"rideshare/internal/pairs"
	"rideshare/internal/registry"
)

// setAside plans for a pair whose data cannot be read: once a copy serves, or none can come any more, the
// data goes out of the way. While it is not known which, the pair stays.
func (p *planner) setAside(pair pairs.Pair, h History) {
	if h.Tries > 1 && p.Now.Before(h.Next) || h.Tries >= hopeless && !p.copyLeft() {
		return
	}
	if p.copyLeft() && !p.electing() || p.lost() {
		p.do(SetAside, pair.ID, "", "its data cannot be read: "+pair.Unreadable)
	}
}

// stop ends the watcher when no copy of the data can be read. First all that there is was set aside, or
// was tried to be.
func (p *planner) stop() {
	if !p.lost() {
		return
	}
	left := slices.Clone(p.Aside)
	for _, pair := range p.Pairs {
		switch {
		case pair.Unreadable == "":
		case p.History[pair.ID].Tries < hopeless:
			return
		default:
			left = append(left, pair.Unreadable)
		}
	}
	p.do(Stop, "", "", "nothing was deleted, and no copy of the data can be read: "+strings.Join(left, ", "))
}

// damaged reports whether there is data that cannot be read.
func (p *planner) damaged() bool {
	return len(p.Aside) > 0 || slices.ContainsFunc(p.Pairs, func(pair pairs.Pair) bool { return pair.Unreadable != "" })
}

// copyLeft reports whether there is a replica to copy from.
func (p *planner) copyLeft() bool {
	return slices.ContainsFunc(p.Members, func(m registry.Member) bool {
		return p.serves(m) || m.State == cluster.Deleted && p.runs(m)
	})
}

// lost reports whether there is data that cannot be read, and no other to go on from: all pairs that
// can be opened are known, and empty.
func (p *planner) lost() bool {
	if !p.damaged() || p.copyLeft() || p.Creating > 0 {
		return false
	}
	return !slices.ContainsFunc(p.Pairs, func(pair pairs.Pair) bool {
		m, registered := p.member(pair)
		switch {
		case p.History[pair.ID].Busy:
			return true
		case pair.Unreadable != "":
			return false
		default: // one that follows a log may get everything from it
			return !registered || m.Position.Seq > 0 || m.State != cluster.Unseeded && m.State != cluster.Joining
		}
	})
}

// deleted reports whether the files of a pair's database were deleted while it runs.
func (p *planner) deleted(pair pairs.Pair) bool {
	m, registered := p.member(pair)
	return registered && m.State == cluster.Deleted && pair.Database.Running
}
