// Package pairs starts, stops and watches pairs: a worker and the database that it alone uses.
//
// The implementations are inprocess (goroutines and SQLite files) and docker (containers);
// pairstest is their suite. The watcher is their only user.
package pairs

import (
	"context"
	"errors"
)

var (
	// ErrNotFound: there is no such pair, or no worker of that process id.
	ErrNotFound = errors.New("pairs: not found")
	// ErrExists: the part runs already.
	ErrExists = errors.New("pairs: runs already")
)

// Pair is a worker and its database. What it stored outlives both until Remove, and is kept elsewhere
// after SetAside.
type Pair struct {
	ID       string
	Worker   Process
	Database Process
	// Unreadable says why what the pair stored cannot be read: starting it again is in vain. Empty
	// where it can be read, or nobody has tried yet.
	Unreadable string
}

// Process is one half of a pair.
type Process struct {
	ID      string // of a worker: its id in the registry, the pair's id and a number: "p1.2"
	PID     int    // 0 while it does not run
	Running bool
	// Outdated says of a worker that runs another program than the next one would: there is a new image.
	Outdated bool
	// Failed says that it ended by itself, and with an error: nobody killed it.
	Failed bool
	// Fault says why it does not run: "killed", "out of memory", "exited with ..." and its last words,
	// or the error that ended it; empty where it never ran.
	Fault string
}

// Part is a half of a pair.
type Part string

const (
	WorkerPart   Part = "worker"
	DatabasePart Part = "database"
)

// Event says that a part of a pair has died.
type Event struct {
	Pair   string
	Part   Part
	Worker string // the id of the pair's worker
	Why    string // the cause, as far as it is known at once; Process.Fault may say more
}

// Pairs are the pairs on this machine. Its methods may be called concurrently.
type Pairs interface {
	// List returns all pairs, running or not, sorted by id: also those that an earlier watcher
	// started, and those of which only the stored data is left. Those that are still being created
	// are not among them.
	List(ctx context.Context) ([]Pair, error)
	// Create starts a new pair with an empty database, under an id that was not used before.
	Create(ctx context.Context) (Pair, error)
	// Start starts what does not run of a pair, on the data that it has. The worker gets a new id.
	// ErrNotFound; ErrExists when both halves run.
	Start(ctx context.Context, id string) (Pair, error)
	// Kill ends a part at once, without any chance to clean up. ErrNotFound.
	Kill(ctx context.Context, id string, part Part) error
	// Remove ends both parts and deletes the pair and its data. No such pair is no error.
	Remove(ctx context.Context, id string) error
	// SetAside ends both parts, and keeps what the pair stored where no pair is made of it: it deletes
	// nothing of that. It returns the place, for people; empty where there is nothing to keep. No such
	// pair is no error.
	SetAside(ctx context.Context, id string) (place string, err error)
	// Aside returns the places of all that was set aside and that nobody has taken away since, sorted:
	// also of what an earlier watcher set aside.
	Aside(ctx context.Context) ([]string, error)
	// Events returns a channel of deaths. It may drop some when nobody receives: List is the
	// truth. It is closed when ctx ends.
	Events(ctx context.Context) <-chan Event
	// Close ends everything that would not outlive this process, in good order.
	Close() error
}
