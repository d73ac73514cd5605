// Package cluster is the vocabulary in which the parts speak about the cluster as a whole: the
// requests that the orchestrator passes to the leading watcher, and the topology it answers with.
package cluster

import (
	"time"

	"rideshare/internal/db"
)

// Role is what a worker does.
type Role string

const (
	Master Role = "master" // executes writes
	Slave  Role = "slave"  // follows the log and answers reads
)

// State is how far a worker has come.
type State string

const (
	Joining   State = "joining"   // copies a snapshot from another replica
	Following State = "following" // follows the log
	Serving   State = "serving"   // has been at the end of the log, and answers requests
	Unseeded  State = "unseeded"  // finds no log that its database belongs to: the log is new, was lost, or has lost its end
	// Deleted: the files of its database were deleted or moved while it runs. It writes nothing, and
	// gives what it still has open to those that replace it.
	Deleted State = "deleted"
)

// Command is a request to the leading watcher. Exactly one of its members is set, beside By.
type Command struct {
	By         *Operator     `json:"by,omitempty"`         // who gives the command; nil for Topology and History
	Topology   bool          `json:"topology,omitempty"`   // what is there?
	Crash      Role          `json:"crash,omitempty"`      // kill the master, or the slave with the highest process id
	Scale      *ScaleCommand `json:"scale,omitempty"`      // set how many slaves there should be
	Switchover *SwitchOver   `json:"switchover,omitempty"` // change the master as planned
	Done       *Done         `json:"done,omitempty"`       // keep a record of what was done elsewhere
	History    bool          `json:"history,omitempty"`    // what have operators done?
}

// Operator is who gives a command.
type Operator struct {
	Name  string `json:"name,omitempty"`  // as the operator's program says; nobody checks it
	Token string `json:"token,omitempty"` // the fingerprint of the token; empty with RIDESHARE_AUTH=off
	From  string `json:"from,omitempty"`  // the client's address
}

// Done is a command that the orchestrator has carried out without the watcher.
type Done struct {
	What   string `json:"what"`
	Result string `json:"result"`
}

// Record is what is kept of an operator's command.
type Record struct {
	ID     string    `json:"id,omitempty" hidden:"true"` // of the command: it is recorded once
	At     time.Time `json:"at" doc:"When it was done"`
	Who    string    `json:"who,omitempty" doc:"Who gave it, as the operator's program says: user@host. Nobody checks that" example:"alice@laptop"`
	Token  string    `json:"token,omitempty" doc:"The first digits of the SHA-256 of the token. Empty with RIDESHARE_AUTH=off" example:"5f2c9a01"`
	From   string    `json:"from,omitempty" doc:"The address that it came from" example:"172.20.0.1"`
	What   string    `json:"what" example:"set the number of slaves to 3"`
	Result string    `json:"result" doc:"done, or why not" example:"done"`
}

// ScaleCommand sets the number of slaves, or leaves it to the autoscaler.
type ScaleCommand struct {
	Count int  `json:"count,omitempty"`
	Auto  bool `json:"auto,omitempty"`
}

// SwitchOver makes the worker To the master; the most advanced slave where To is empty.
type SwitchOver struct {
	To string `json:"to,omitempty"`
}

// Problem is why a command was not carried out.
type Problem string

const (
	NoSuchWorker Problem = "no_such_worker" // there is no worker of that role or name: 409
	OutOfRange   Problem = "out_of_range"   // the number of slaves is not within the limits: 400
	Failed       Problem = "failed"         // it was tried, and did not work: 503
	NoRegistry   Problem = "no_registry"    // the registry cannot be reached: 503
)

// Answer is the answer to a Command.
type Answer struct {
	Topology *Topology `json:"topology,omitempty"` // to Topology, Scale and Switchover: afterwards
	Killed   []int     `json:"killed,omitempty"`   // to Crash: the process ids
	History  []Record  `json:"history,omitempty"`  // to History: the newest first
	Problem  Problem   `json:"problem,omitempty"`
	Message  string    `json:"message,omitempty"` // says more about Problem
}

// Topology is the whole cluster at a moment.
type Topology struct {
	Epoch          uint64      `json:"epoch" doc:"Epoch of the present master, or the latest one that is known; grows with every change of master"`
	EpochFrom      EpochFrom   `json:"epoch_from,omitempty" enum:"master,replicas,registry" doc:"Where the epoch is from: the present master; the newest entry that a running worker holds; or the latest election, whose master the log may not have accepted. Missing: no epoch is known"`
	Master         string      `json:"master" doc:"Id of the master; empty while there is none"`
	Elected        string      `json:"elected,omitempty" doc:"Id of the worker that was elected, until the log has accepted it as the master"`
	LogLeader      Leader      `json:"log_leader" doc:"The master according to the log: the newest one that a worker has read of. Only what it writes counts. Empty while none is known"`
	RegistryLeader Leader      `json:"registry_leader" doc:"The master according to the registry: the worker that was elected last, and is registered. Empty while there is none"`
	Watcher        string      `json:"watcher,omitempty" doc:"Id of the leading watcher"`
	Workers        []Worker    `json:"workers" nullable:"false"`
	Desired        Desired     `json:"desired"`
	Faults         []PairFault `json:"faults,omitempty" nullable:"false" doc:"Pairs that do not serve after something has gone wrong with them, and why"`
	Recoveries     []Recovery  `json:"recoveries" nullable:"false" doc:"The last recoveries, newest first"`
	Queues         []Queue     `json:"queues,omitempty" nullable:"false" doc:"The queues of requests; not after a command, nor while the broker does not tell"`
}

// Leader is a worker and the epoch that it leads.
type Leader struct {
	Worker string `json:"worker"`
	Epoch  uint64 `json:"epoch"`
}

// EpochFrom is where the epoch of a topology is from. Empty: no epoch is known.
type EpochFrom string

const (
	FromMaster   EpochFrom = "master"   // the present master leads in it
	FromReplicas EpochFrom = "replicas" // a running worker holds an entry of it
	FromRegistry EpochFrom = "registry" // a master was elected for it
)

// Queue is a queue of requests at a moment.
type Queue struct {
	Name      string `json:"name" enum:"writes,reads,control"`
	Waiting   int    `json:"waiting" doc:"Messages that no consumer holds yet"`
	Consumers int    `json:"consumers" doc:"How many take messages from it"`
}

// Worker is one worker and its database.
type Worker struct {
	ID       string      `json:"id"`
	Pair     string      `json:"pair" doc:"The pair of worker and database it belongs to"`
	Role     Role        `json:"role" enum:"master,slave"`
	State    State       `json:"state" enum:"joining,following,serving,unseeded,deleted"`
	Addr     string      `json:"addr,omitempty" doc:"Where it gives snapshots, inside of the cluster"`
	PID      int         `json:"pid" doc:"Process id of the worker's container"`
	Position db.Position `json:"position" doc:"Position up to which its database is, epoch.seq"`
	Lag      uint64      `json:"lag" doc:"Entries behind the most advanced worker"`
	Reads    uint64      `json:"reads" doc:"Reads served since it started"`
	Writes   uint64      `json:"writes" doc:"Writes executed as master since it started"`
	Database string      `json:"database" doc:"ok, or what is wrong with its database"`
	CutOff   bool        `json:"cut_off,omitempty" doc:"It has had no word from the log for some seconds: it answers only what needs none"`
}

// Desired is what should be there.
type Desired struct {
	Slaves int  `json:"slaves" doc:"Number of slaves"`
	Auto   bool `json:"auto" doc:"Whether the autoscaler sets it"`
	Min    int  `json:"min" doc:"Least number of slaves"`
	Max    int  `json:"max" doc:"Largest number of slaves"`
}

// PairFault is why a pair does not serve. Where a database serves and cannot write, its Worker says so.
type PairFault struct {
	Pair string `json:"pair,omitempty" doc:"Id of the pair; empty for one that could not be created"`
	Why  string `json:"why" doc:"The death or the start that has failed, for example: worker died: exited with 1: no space left on device"`
}

// Recovery is something that the watcher put right. The death of a master makes two: one until
// there is another master, and one until there are as many replicas as before.
type Recovery struct {
	At       time.Time `json:"at"`
	Worker   string    `json:"worker" doc:"Id of the worker that died"`
	Role     Role      `json:"role" enum:"master,slave" doc:"What was missing: the master, or a replica"`
	Elected  Millis    `json:"elected_ms,omitempty" doc:"From noticing to the election of the next master, in milliseconds"`
	What     string    `json:"what" doc:"What was done, for example: promoted p2.1"`
	Why      string    `json:"why" doc:"What had happened, for example: master p1.1 died"`
	Duration Millis    `json:"duration_ms" doc:"From noticing to done, in milliseconds"`
}

// Millis is a duration that is written in whole milliseconds.
type Millis int64

// MillisOf converts a duration.
func MillisOf(d time.Duration) Millis { return Millis(d.Milliseconds()) }
