package chaos

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rideshare/client"
	"rideshare/internal/db"
)

// Outcome is what a client knows of a write that it sent, retries included.
type Outcome string

// The outcomes.
const (
	Acked   Outcome = "acknowledged"
	Refused Outcome = "refused"
	Unknown Outcome = "unknown" // no answer until the client's patience was over
)

func outcomeOf(err error) Outcome {
	var p *client.Problem
	switch {
	case err == nil:
		return Acked
	case errors.As(err, &p) && p.Status < 500:
		return Refused
	}
	return Unknown
}

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// Write is a write that creates or deletes the row of a name that is never used again.
type Write struct {
	Client       string
	Key          string // Idempotency-Key
	Name         string
	Delete       bool
	ToRefuse     bool // it is wrong, and must be refused
	Outcome      Outcome
	ID           int64  // of the row, where the reply had one
	Reply        string // as the client got it
	Begun, Ended time.Duration
}

func (w Write) String() string {
	verb := "creates"
	if w.Delete {
		verb = "deletes"
	}
	return fmt.Sprintf("%v to %v: %s %s %s (key %s): %s: %s", ms(w.Begun), ms(w.Ended), w.Client, verb, w.Name, w.Key, w.Outcome, w.Reply)
}

// Retry is an acknowledged write that was sent again under its key.
type Retry struct {
	Of           Write
	Reply        string
	Begun, Ended time.Duration
}

// Seen is what a session was told about the counter that it alone writes: by an acknowledgement of its
// own (Level is empty) or by a read at that level.
type Seen struct {
	Session         string
	Level           string
	After, Position db.Position // what the read asked for, and where it was answered
	Value           int64
	Tried           int64 // the largest number that was sent before the read was answered
	Begun, Ended    time.Duration
}

func (s Seen) String() string {
	if s.Level == "" {
		return fmt.Sprintf("%v to %v: %s was told that its counter is %d, at %v", ms(s.Begun), ms(s.Ended), s.Session, s.Value, s.Position)
	}
	return fmt.Sprintf("%v to %v: %s reads %d at %v, %s, after %v", ms(s.Begun), ms(s.Ended), s.Session, s.Value, s.Position, s.Level, s.After)
}

// History is everything that clients were told.
type History struct {
	Writes  []Write
	Retries []Retry
	Seen    []Seen // of each session, in the order of its acts

	Registers int // operations on registers, which are judged by JudgeRegisters
}

// State is what is there while no client writes.
type State struct {
	Rows     map[string][]int64 // the ids of the rows of each name; those without a number have 0
	Replicas int                // how many there should be
	Sums     []client.Checksum
}

// Violation is something that must never be.
type Violation struct {
	Kind    string
	What    string
	History []string // the shortest that shows it
	Page    string   // where it is drawn; may be empty
}

// The kinds of violations.
const (
	Lost          = "lost"
	Doubled       = "doubled"
	Undone        = "a write that was refused is there"
	Wrong         = "a wrong answer"
	Changed       = "a retry got another reply"
	Repeated      = "an id was given twice"
	Stale         = "a session saw an older state"
	Invented      = "a read saw what nobody wrote"
	Different     = "replicas differ"
	Unlinear      = "not linearizable"
	NeverWhole    = "not whole again"
	notJudgeable  = "could not be judged"
	mostOfOneKind = 10 // violations that are told
)

// Judge compares what clients were told with what is there.
func Judge(h History, s State) []Violation {
	var found []Violation
	add := func(kind, what string, history ...string) {
		n := 0
		for _, v := range found {
			if v.Kind == kind {
				n++
			}
		}
		if n < mostOfOneKind {
			found = append(found, Violation{Kind: kind, What: what, History: history})
		}
	}
	judgeRows(h.Writes, s.Rows, add)
	judgeRetries(h.Retries, add)
	for _, session := range bySession(h.Seen) {
		judgeSession(session, add)
	}
	judgeReplicas(s, add)
	return found
}

type adder func(kind, what string, history ...string)

// fate is what the clients know of a name.
type fate struct{ created, deleted *Write }

func judgeRows(writes []Write, rows map[string][]int64, add adder) {
	fates := map[string]fate{}
	owner := map[int64]Write{}
	for _, w := range writes {
		if w.ToRefuse == (w.Outcome == Acked) && w.Outcome != Unknown {
			add(Wrong, fmt.Sprintf("%s was %s", w.Name, w.Outcome), w.String())
		}
		f := fates[w.Name]
		if w.Delete {
			f.deleted = &w
		} else {
			f.created = &w
		}
		fates[w.Name] = f
		if w.ID == 0 || w.Delete || w.Outcome != Acked {
			continue
		}
		if other, twice := owner[w.ID]; twice {
			add(Repeated, fmt.Sprint("number ", w.ID), other.String(), w.String())
		}
		owner[w.ID] = w
	}
	for _, name := range slices.Sorted(maps.Keys(fates)) {
		judgeRow(name, fates[name], rows[name], add)
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if _, known := fates[name]; !known {
			add(Invented, fmt.Sprintf("%s is there with the numbers %v, and nobody wrote it", name, rows[name]))
		}
	}
}

// judgeRow judges one name. A write of unknown outcome may have been done, or not.
func judgeRow(name string, f fate, ids []int64, add adder) {
	var history []string
	for _, w := range []*Write{f.created, f.deleted} {
		if w != nil {
			history = append(history, w.String())
		}
	}
	there := fmt.Sprintf("%s is there with the numbers %v", name, ids)
	switch {
	case len(ids) > 1:
		add(Doubled, there, history...)
	case f.created == nil || f.created.Outcome == Refused:
		if len(ids) > 0 {
			add(Undone, there, history...)
		}
	case f.deleted != nil && f.deleted.Outcome == Acked:
		if len(ids) > 0 {
			add(Lost, there+", though it was deleted", history...)
		}
	case f.created.Outcome == Unknown || f.deleted != nil && f.deleted.Outcome == Unknown:
	case len(ids) == 0:
		add(Lost, name+" is not there", history...)
	case ids[0] != f.created.ID:
		add(Lost, there+", not with the one that was acknowledged", history...)
	}
}

func judgeRetries(retries []Retry, add adder) {
	for _, r := range retries {
		if r.Reply != r.Of.Reply {
			add(Changed, "the key "+r.Of.Key, r.Of.String(), fmt.Sprintf("%v to %v: again: %s", ms(r.Begun), ms(r.Ended), r.Reply))
		}
	}
}

func bySession(seen []Seen) [][]Seen {
	sessions := map[string][]Seen{}
	for _, s := range seen {
		sessions[s.Session] = append(sessions[s.Session], s)
	}
	var sorted [][]Seen
	for _, name := range slices.Sorted(maps.Keys(sessions)) {
		sorted = append(sorted, sessions[name])
	}
	return sorted
}

// judgeSession judges what one session was told, in order. An eventual read may be as old as it likes.
func judgeSession(seen []Seen, add adder) {
	var newest, largest Seen // what the session must not fall behind of
	for _, s := range seen {
		if s.Value > s.Tried {
			add(Invented, fmt.Sprintf("%s reads %d, and wrote at most %d", s.Session, s.Value, s.Tried), s.String())
		}
		if s.Level == string(db.Eventual) {
			continue
		}
		switch {
		case !s.Position.Covers(s.After):
			add(Stale, fmt.Sprintf("a read after %v was answered at %v", s.After, s.Position), s.String())
		case !s.Position.Covers(newest.Position):
			add(Stale, fmt.Sprintf("%s went back from %v to %v", s.Session, newest.Position, s.Position), newest.String(), s.String())
		case s.Value < largest.Value:
			add(Stale, fmt.Sprintf("%s went back from %d to %d", s.Session, largest.Value, s.Value), largest.String(), s.String())
		}
		if s.Position.Covers(newest.Position) {
			newest = s
		}
		if s.Value >= largest.Value {
			largest = s
		}
	}
}

func judgeReplicas(s State, add adder) {
	if len(s.Sums) != s.Replicas {
		add(Different, fmt.Sprintf("%d replicas have a checksum, there should be %d", len(s.Sums), s.Replicas))
	}
	for _, sum := range s.Sums {
		if first := s.Sums[0]; sum.Error != "" || sum.Seq != first.Seq || sum.Checksum != first.Checksum {
			add(Different, fmt.Sprintf("%s and %s", first.Worker, sum.Worker), fmt.Sprintf("%+v", first), fmt.Sprintf("%+v", sum))
		}
	}
}
