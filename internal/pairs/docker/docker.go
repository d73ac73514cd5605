// Package docker runs pairs as containers: a database container with a named volume, and a worker
// container. The database is on a network that it shares with its worker alone, and which leads nowhere else. It speaks to the engine (20.10 or newer) by its API.
//
// # What a worker's container gets
//
//	RIDESHARE_WORKER_ID   its id in the registry: "p3.2", the second worker of pair p3
//	RIDESHARE_PAIR        "p3"
//	MYSQL_DSN_FILE        a file with the address of its database, in the driver's form:
//	                      "rideshare:<password>@tcp(<project>-p3-database:3306)/rideshare"
//	GOMEMLIMIT            four fifths of the memory that it may use
//	<NAME>                Config.WorkerEnv
//	<NAME>_FILE           a file with the value, for each of Config.WorkerSecrets
//
// Its host name is the name of the container, by which other containers on its networks reach it.
// The files are readable by every user, so that the image may choose any, and by nobody else: they
// are in a volume of this container alone. The root file system is read-only, /tmp is in memory.
// The database may still be starting when the worker starts: it has to wait for it.
//
// A worker cannot know its process id on the host. List knows it.
//
// # What is where
//
// Everything is in labels, so a watcher that has restarted sees what there is, and half of what
// there should be is completed by Start or deleted by Remove. The database's password is made once
// for each pair and kept in its volume, beside the data that it belongs to; "docker inspect" shows
// no secret.
//
// What was set aside is a data volume, PROJECT-p3-data, with an empty volume beside it that says so,
// PROJECT-p3-kept. Its containers are gone, and it belongs to no pair: nobody but an operator deletes it,
//
//	docker volume rm PROJECT-p3-data
//
// or lets the watcher try it again: docker volume rm PROJECT-p3-kept.
//
// The containers have compose's labels. For it they are orphans, containers of services that its
// file does not name: "docker-compose up" leaves them alone, and "down --remove-orphans" removes
// them after the services, so that no watcher is left to replace them. Of volumes compose removes
// only those that its file names: what is left goes by label,
//
//	docker volume ls -q --filter label=rideshare.project=NAME
//	docker network ls -q --filter label=rideshare.project=NAME
package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/client"

	"rideshare/internal/pairs"
)

// Config says how pairs are made.
type Config struct {
	Host    string // of the engine: "unix:///var/run/docker.sock", which is the default
	Project string // compose's project; begins the name of everything
	// Networks are what the workers join, beside the network of their pair. They exist.
	Networks []string

	WorkerImage string
	WorkerArgs  []string          // the worker's arguments
	WorkerEnv   map[string]string // its environment, beside what this package adds
	// WorkerSecrets returns what a worker gets as files: by NAME, for NAME_FILE. The values may change, the
	// names may not (RefreshSecrets).
	WorkerSecrets func() map[string]string
	WorkerLimits  Limits // a zero member: 256 MiB, 2 processors, 256 processes

	DatabaseImage  string            // MySQL's, or one that takes the same variables
	DatabaseArgs   []string          // the server's arguments; nil: DefaultDatabaseArgs
	DatabaseLimits Limits            // a zero member: 1 GiB, 2 processors, 512 processes
	Labels         map[string]string // further labels of all that is made
}

// Limits are what a container may use.
type Limits struct {
	Memory    int64 // bytes, without swap
	CPUs      float64
	Processes int64 // and threads
}

func (l Limits) or(d Limits) Limits {
	return Limits{cmp.Or(l.Memory, d.Memory), cmp.Or(l.CPUs, d.CPUs), cmp.Or(l.Processes, d.Processes)}
}

// Pairs implements pairs.Pairs. Make one with New.
type Pairs struct {
	config Config
	api    *client.Client

	mu       sync.Mutex
	lastID   int
	creating map[string]bool
	locks    map[string]chan struct{} // by pair: holds a value while it is being changed
	lost     map[string]string        // by pair: why its data cannot be read
	quiet    map[string]bool          // containers that are ended on purpose: their deaths are no event
}

var _ pairs.Pairs = (*Pairs)(nil)

// New returns the pairs of a project. It does not ask the engine for anything yet.
func New(c Config) (*Pairs, error) {
	for name, value := range map[string]string{
		"Project": c.Project, "Networks": strings.Join(c.Networks, ""), "WorkerImage": c.WorkerImage, "DatabaseImage": c.DatabaseImage,
	} {
		if value == "" {
			return nil, fmt.Errorf("docker: %s is not set", name)
		}
	}
	c.Host = cmp.Or(c.Host, client.DefaultDockerHost)
	c.WorkerLimits = c.WorkerLimits.or(Limits{Memory: 256 << 20, CPUs: 2, Processes: 256})
	c.DatabaseLimits = c.DatabaseLimits.or(Limits{Memory: 1 << 30, CPUs: 2, Processes: 512})
	if c.WorkerSecrets == nil {
		c.WorkerSecrets = func() map[string]string { return nil }
	}
	if c.DatabaseArgs == nil {
		c.DatabaseArgs = DefaultDatabaseArgs()
	}
	c.WorkerEnv, c.Labels = maps.Clone(c.WorkerEnv), maps.Clone(c.Labels)
	api, err := connect(c.Host)
	if err != nil {
		return nil, err
	}
	return &Pairs{
		config: c, api: api,
		creating: map[string]bool{}, locks: map[string]chan struct{}{}, lost: map[string]string{}, quiet: map[string]bool{},
	}, nil
}

func connect(host string) (*client.Client, error) {
	api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	return api, nil
}

// Close implements pairs.Pairs: the pairs go on.
func (p *Pairs) Close() error { return p.api.Close() }

// lock waits until nobody else changes the pair, and returns what ends that.
func (p *Pairs) lock(ctx context.Context, id string) (unlock func(), err error) {
	p.mu.Lock()
	held, ok := p.locks[id]
	if !ok {
		held = make(chan struct{}, 1)
		p.locks[id] = held
	}
	p.mu.Unlock()
	select {
	case held <- struct{}{}:
		return func() { <-held }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cleanupTime is how long undoing a failed Create may take; its context may have ended already.
const cleanupTime = 30 * time.Second

var errTaken = errors.New("docker: the name is taken")
