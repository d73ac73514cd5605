// Package registry is membership and election: who is there, who should try to lead, and what the
// operator wants. It is advice: a worker that has been elected leads only after the log has
// accepted its marker (package replog), so a wrong or stale registry delays and never corrupts.
//
// The implementations are memory (one process) and zookeeper; registrytest is their suite.
package registry

import (
	"context"
	"errors"

	"rideshare/internal/cluster"
	"rideshare/internal/db"
)

var (
	// ErrUnavailable: the registry cannot be reached. Whether the call took effect is not known.
	ErrUnavailable = errors.New("registry: unavailable")
	// ErrTaken: another worker is master, or another watcher leads.
	ErrTaken = errors.New("registry: taken")
	// ErrNotFound: there is no such node.
	ErrNotFound = errors.New("registry: not found")
	// ErrConflict: the config was changed since it was read.
	ErrConflict = errors.New("registry: conflict")
	// ErrClosed: this end of the registry was closed.
	ErrClosed = errors.New("registry: closed")
)

// Member is a worker that is there, as it describes itself.
type Member struct {
	ID       string        `json:"id"`
	Pair     string        `json:"pair"`
	PID      int           `json:"pid"`  // as far as the worker knows it
	Addr     string        `json:"addr"` // where it gives snapshots, in the implementation's terms
	Role     cluster.Role  `json:"role"`
	State    cluster.State `json:"state"`
	LogID    string        `json:"log_id"`           // the log it follows; empty while Unseeded
	AtEnd    bool          `json:"at_end,omitempty"` // it has been at the end of that log since it started
	Position db.Position   `json:"position"`
	Reads    uint64        `json:"reads"`
	Writes   uint64        `json:"writes"`
	Database string        `json:"database"` // DatabaseOK, or what is wrong
	// Leader is the master that the newest marker names which the worker has read; zero: it has
	// read none since it started.
	Leader Master `json:"leader,omitzero"`
	CutOff bool   `json:"cut_off,omitempty"` // it cannot reach the log
}

// DatabaseOK is the Database of a member whose database reads and writes.
const DatabaseOK = "ok"

// Writable reports whether the worker's database can write. Only then may the worker become master.
func (m Member) Writable() bool { return m.Database == DatabaseOK || m.Database == "" }

// Master is who was elected.
type Master struct {
	Worker string `json:"worker"`
	Epoch  uint64 `json:"epoch"`
}

// Config is what should be. It outlives every session.
type Config struct {
	Slaves int  `json:"slaves"` // 0: not set yet
	Auto   bool `json:"auto"`
	// Seed lets a worker begin, because its database is the most advanced of all that are left. If it finds no log
	// that it belongs to, it begins one; otherwise it serves. Zero: nobody may.
	Seed Seed `json:"seed,omitzero"`
	// Switch asks the worker To to take over from the master of epoch From; it means nothing once
	// that epoch is over.
	Switch Switch `json:"switch,omitzero"`
}

// Seed is the permission to begin when nobody serves. It holds for one time: the worker is At that position
// only until it has used it, so a log that is lost later finds no permission left behind.
type Seed struct {
	Worker string      `json:"worker"`
	At     db.Position `json:"at"`
}

// Switch is a planned change of master.
type Switch struct {
	To   string `json:"to"`
	From uint64 `json:"from"`
}

// Registry is one session with the registry. Its methods may be called concurrently. What it
// registered, was elected to or leads vanishes when the session ends: on Close, or when the
// registry has not heard of it for the session's time-out. An ended session begins anew by
// itself, without what it held: the owner sees that by Members and Master, and calls again.
type Registry interface {
	// Register creates or replaces the node of m.ID, owned by this session. A node of that id
	// which another session owns is replaced too: it is a ghost of the same worker.
	Register(ctx context.Context, m Member) error
	// Members returns who is registered, sorted by id.
	Members(ctx context.Context) ([]Member, error)
	// Evict removes the node of a worker and, where it is master, its mastership, whoever owns
	// them. No such worker is no error.
	Evict(ctx context.Context, worker string) error

	// Elect makes the worker master of a new epoch, in one atomic step, and returns the epoch: the
	// first number above both every earlier epoch and above. ErrTaken: there is a master other
	// than the one of epoch from; a planned change passes the present epoch as from, others pass 0.
	Elect(ctx context.Context, worker string, above, from uint64) (uint64, error)
	// Reclaim makes the worker master of an epoch that it already has, after its session ended.
	// ErrTaken: there is a master, or there has been a later epoch.
	Reclaim(ctx context.Context, m Master) error
	// Resign gives up the mastership m. It is no error when m is not master.
	Resign(ctx context.Context, m Master) error
	// Master returns the present master; ErrNotFound: there is none.
	Master(ctx context.Context) (Master, error)
	// Epoch returns the latest epoch that a master was elected for, 0 before the first. It outlives
	// the master, and every session.
	Epoch(ctx context.Context) (uint64, error)

	// Config returns the config and its version; the zero Config and version 0 before the first
	// SetConfig.
	Config(ctx context.Context) (Config, int64, error)
	// SetConfig replaces the config of that version. ErrConflict: it has another one by now.
	SetConfig(ctx context.Context, c Config, version int64) error

	// Record keeps the record of an operator's command. It outlives every session, until KeptRecords newer ones
	// are there. A record with the ID of one that is there is not kept again.
	Record(ctx context.Context, r cluster.Record) error
	// History returns the records, the newest first.
	History(ctx context.Context) ([]cluster.Record, error)

	// LeadWatchers makes the watcher the leading one; no error when it is so already. ErrTaken:
	// another one leads.
	LeadWatchers(ctx context.Context, watcher string) error

	// Watch returns a channel on which a value arrives after anything has changed: members,
	// master, config or leading watcher. Changes that come while one waits to be received are
	// merged into it. The channel is never closed; it is forgotten when ctx ends.
	Watch(ctx context.Context) <-chan struct{}
	// Close ends the session.
	Close() error
}
