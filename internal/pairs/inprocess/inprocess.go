// Package inprocess runs pairs in this process: a worker is a few goroutines, its database a
// SQLite file in a folder of its own. Killing one cuts it off from everything at once, so that
// what its goroutines still do has no effect: as for a process that was sent SIGKILL.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"rideshare/internal/pairs"
	"rideshare/internal/store"
)

// Worker is a worker as this package needs it.
type Worker interface {
	// Run runs the worker until ctx ends or it fails.
	Run(ctx context.Context) error
	// Kill cuts the worker off from everything but its database, at once and for good.
	Kill()
}

// Identity is who a worker is.
type Identity struct {
	ID   string // the pair's id and a number: "p1.2"
	Pair string
	PID  int // made up: unlike that of any other worker of this process
}

// Config says how pairs are made.
type Config struct {
	Dir string // one folder for each pair is kept in it, and AsideDir
	// Open opens the database in a folder of its own. With create it makes an empty one, in a folder
	// that does not exist yet; without, a database that is missing is a store.ErrDamaged.
	Open func(ctx context.Context, dir string, create bool) (store.Store, error)
	// Launch makes the worker of a pair; it is run by this package.
	Launch func(id Identity, db store.Store) Worker
}

// firstPID is the first process id that is made up.
const firstPID = 1000

// Pairs implements pairs.Pairs.
type Pairs struct {
	config Config

	mu          sync.Mutex
	pairs       map[string]*pair
	lastID      int
	nextPID     int
	subscribers map[chan pairs.Event]struct{}
	closed      bool
}

var _ pairs.Pairs = (*Pairs)(nil)

// New returns the pairs of a folder, which it creates. Those whose data is there do not run yet.
func New(c Config) (*Pairs, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the pairs: %w", err)
	}
	p := &Pairs{
		config: c, pairs: map[string]*pair{}, nextPID: firstPID,
		subscribers: map[chan pairs.Event]struct{}{},
	}
	if err := p.scan(); err != nil {
		return nil, fmt.Errorf("the folder of the pairs: %w", err)
	}
	return p, nil
}

func (p *Pairs) newPair(id string) *pair {
	return &pair{id: id, dir: filepath.Join(p.config.Dir, id)}
}

// List implements pairs.Pairs.
func (p *Pairs) List(context.Context) ([]pairs.Pair, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]pairs.Pair, 0, len(p.pairs))
	for _, pair := range p.pairs {
		list = append(list, pair.describe())
	}
	// By number, so that the youngest is last.
	slices.SortFunc(list, func(a, b pairs.Pair) int {
		if len(a.ID) != len(b.ID) {
			return len(a.ID) - len(b.ID)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, nil
}

// Create implements pairs.Pairs.
func (p *Pairs) Create(ctx context.Context) (pairs.Pair, error) {
	p.mu.Lock()
	p.lastID++
	pair := p.newPair(fmt.Sprintf("p%d", p.lastID))
	p.mu.Unlock()
	if err := p.makeFolder(ctx, pair); err != nil {
		return pairs.Pair{}, err
	}
	db, err := p.open(ctx, pair)
	if err != nil { // no worker has ever had it
		return pairs.Pair{}, errors.Join(err, os.RemoveAll(pair.dir))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return pairs.Pair{}, errors.Join(errClosed, db.Close(), os.RemoveAll(pair.dir))
	}
	p.pairs[pair.id] = pair
	p.launch(pair, db)
	return pair.describe(), nil
}

// killed is the fault of what Kill has ended.
const killed = "killed"

// errClosed: Close was called.
var errClosed = errors.New("inprocess: closed")

func (p *Pairs) open(ctx context.Context, pair *pair) (store.Store, error) {
	db, err := p.config.Open(ctx, pair.dir, false)
	if err != nil {
		err = fmt.Errorf("the database of %s: %w", pair.id, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	pair.judge(err)
	return db, err
}

// Start implements pairs.Pairs.
func (p *Pairs) Start(ctx context.Context, id string) (pairs.Pair, error) {
	pair, err := p.claim(id)
	if err != nil {
		return pairs.Pair{}, err
	}
	defer pair.starting.Unlock()
	if err := p.clear(ctx, pair); err != nil {
		return pairs.Pair{}, err
	}
	db, err := p.open(ctx, pair)
	if err != nil {
		return pairs.Pair{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return pairs.Pair{}, errors.Join(errClosed, db.Close())
	}
	p.launch(pair, db)
	return pair.describe(), nil
}

// clear waits for the end of the last run of a pair, which it brings about where only the
// database has died.
func (p *Pairs) clear(ctx context.Context, pair *pair) error {
	p.mu.Lock()
	r := pair.run
	if r != nil && !r.over {
		if !pair.dead {
			p.mu.Unlock()
			return fmt.Errorf("%w: %s", pairs.ErrExists, pair.id)
		}
		r.kill()
	}
	p.mu.Unlock()
	return pair.awaitEnd(ctx)
}

func (p *Pairs) launch(pair *pair, db store.Store) {
	pair.runs++
	who := Identity{ID: fmt.Sprintf("%s.%d", pair.id, pair.runs), Pair: pair.id, PID: p.nextPID}
	p.nextPID++
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{who: who, db: db, worker: p.config.Launch(who, db), cancel: cancel, done: make(chan struct{})}
	pair.run, pair.dead, pair.fault = r, false, ""
	go func() {
		defer close(r.done)
		err := r.worker.Run(ctx)
		p.ended(pair, r, err)
		cancel()
		r.worker.Kill()
		_ = r.db.Close() // nothing that was acknowledged is in it only
		r.closing.Wait()
	}()
}

// ended notes that a worker has ended by itself.
func (p *Pairs) ended(pair *pair, r *run, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.over {
		return
	}
	r.over = true
	pair.fault = "it ended"
	if err != nil {
		pair.fault = err.Error()
		pair.judge(err)
	}
	p.emit(pairs.Event{Pair: pair.id, Part: pairs.WorkerPart, Worker: r.who.ID, Why: pair.fault})
}

// Kill implements pairs.Pairs.
func (p *Pairs) Kill(_ context.Context, id string, part pairs.Part) error {
	pair, err := p.lookup(id)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := pair.run
	switch {
	case r == nil, part == pairs.DatabasePart && pair.dead, part == pairs.WorkerPart && r.over:
		return fmt.Errorf("%w: the %s of %s does not run", pairs.ErrNotFound, part, id)
	case part == pairs.DatabasePart:
		pair.dead = true
		r.closing.Go(func() { _ = r.db.Close() }) // it is being killed
	default:
		pair.fault = killed
		r.kill()
	}
	p.emit(pairs.Event{Pair: id, Part: part, Worker: r.who.ID, Why: killed})
	return nil
}

// Remove implements pairs.Pairs.
func (p *Pairs) Remove(ctx context.Context, id string) error {
	return p.dispose(ctx, id, func(pair *pair) error { return os.RemoveAll(pair.dir) })
}

// dispose ends a pair, and lets with do what is to be done with its data. No such pair is no error.
func (p *Pairs) dispose(ctx context.Context, id string, with func(*pair) error) error {
	pair, err := p.claim(id)
	if errors.Is(err, pairs.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer pair.starting.Unlock()
	p.mu.Lock()
	if r := pair.run; r != nil {
		r.over = true
		r.cancel()
	}
	p.mu.Unlock()
	if err := pair.awaitEnd(ctx); err != nil {
		return err
	}
	if err := with(pair); err != nil {
		return fmt.Errorf("the data of %s: %w", id, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, id)
	return nil
}

// Close implements pairs.Pairs: the workers end in good order, the data stays. store.ErrGone: it does
// not, as the files of every database were deleted or moved.
func (p *Pairs) Close() error {
	p.mu.Lock()
	p.closed = true
	gone := p.gone()
	all := p.pairs
	p.pairs = map[string]*pair{}
	for _, pair := range all {
		if pair.run != nil {
			pair.run.over = true
			pair.run.cancel()
		}
	}
	p.mu.Unlock()
	for _, pair := range all {
		if err := pair.awaitEnd(context.Background()); err != nil {
			return err
		}
	}
	return gone
}

// gone returns why nothing of what the pairs that run have stored outlives them. Pairs.mu is held.
func (p *Pairs) gone() (err error) {
	for _, pair := range p.pairs {
		if pair.run == nil || pair.run.over {
			continue
		}
		fault := pair.run.db.Intact()
		if fault == nil {
			return nil
		}
		err = fault
	}
	return err
}

// claim returns a pair that nobody else starts or removes until its starting is unlocked.
func (p *Pairs) claim(id string) (*pair, error) {
	pair, err := p.lookup(id)
	if err != nil {
		return nil, err
	}
	pair.starting.Lock()
	if _, err := p.lookup(id); err != nil { // it was removed meanwhile
		pair.starting.Unlock()
		return nil, err
	}
	return pair, nil
}

func (p *Pairs) lookup(id string) (*pair, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pair, ok := p.pairs[id]
	if !ok {
		return nil, fmt.Errorf("%w: %s", pairs.ErrNotFound, id)
	}
	return pair, nil
}
